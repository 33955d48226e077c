package file

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// A finding is a path that an input matches.
type finding struct {
	path  string
	input int
}

// find returns the paths that the inputs match, each once, with the first input that matches it.
func find(inputs []Input) []finding {
	var found []finding
	seen := map[string]struct{}{}
	for i := range inputs {
		for _, path := range inputs[i].find() {
			if _, dup := seen[path]; dup {
				continue
			}
			seen[path] = struct{}{}
			found = append(found, finding{path: path, input: i})
		}
	}
	return found
}

// find returns the paths that in matches. Directories that cannot be listed have none. A link to a directory is
// followed where the pattern names it, not by **, which could run in circles.
func (in *Input) find() []string {
	var paths []string
	for _, pattern := range in.Paths {
		matches, err := doublestar.FilepathGlob(pattern, globOptions(pattern)...)
		if err != nil {
			continue // only a bad pattern, which New refuses
		}
		paths = append(paths, matches...)
	}
	return slices.DeleteFunc(paths, in.excludes)
}

func globOptions(pattern string) []doublestar.GlobOption {
	if strings.Contains(pattern, "**") {
		return []doublestar.GlobOption{doublestar.WithNoFollow()}
	}
	return nil
}

// Matches reports whether path is one of in's, whether or not it exists.
func (in *Input) Matches(path string) bool {
	return !in.excludes(path) && slices.ContainsFunc(in.Paths, func(pattern string) bool {
		return doublestar.PathMatchUnvalidated(pattern, path)
	})
}

func (in *Input) excludes(path string) bool {
	return slices.ContainsFunc(in.Exclude, func(pattern string) bool {
		if !strings.Contains(pattern, string(filepath.Separator)) {
			return doublestar.PathMatchUnvalidated(pattern, filepath.Base(path))
		}
		return doublestar.PathMatchUnvalidated(pattern, path)
	})
}

// directories returns every directory in which a match of the inputs, or a directory on the way to one, can appear.
// Where a pattern's fixed part does not exist yet it is the nearest ancestor that does.
func directories(inputs []Input) map[string]struct{} {
	dirs := map[string]struct{}{}
	for i := range inputs {
		for _, pattern := range inputs[i].Paths {
			base, rest := doublestar.SplitPattern(filepath.ToSlash(pattern))
			base = filepath.FromSlash(base)
			for !isDirectory(base) && filepath.Dir(base) != base {
				base = filepath.Dir(base)
			}
			dirs[base] = struct{}{}
			parts := strings.Split(rest, "/")
			for n := 1; n < len(parts); n++ {
				addDirectories(dirs, filepath.Join(base, filepath.Join(parts[:n]...)))
			}
		}
	}
	return dirs
}

func addDirectories(dirs map[string]struct{}, pattern string) {
	matches, err := doublestar.FilepathGlob(pattern, globOptions(pattern)...)
	if err != nil {
		return
	}
	for _, m := range matches {
		if isDirectory(m) {
			dirs[m] = struct{}{}
		}
	}
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
