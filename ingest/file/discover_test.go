package file

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDirectoryAppearsLater(t *testing.T) {
	w := newWorld(t, "a/**/*.log")
	w.begin()
	w.must(os.MkdirAll(w.path("a/b/c"), 0o755))
	w.append("a/b/c/app.log", "one\n")
	w.expect("one")
	w.must(os.RemoveAll(w.path("a")))
	w.must(os.MkdirAll(w.path("a/b/d"), 0o755))
	w.append("a/b/d/app.log", "two\n")
	w.expect("one", "two")
	w.append("a/b/d/app.log", "three\n")
	w.expect("one", "two", "three")
}

func TestPipesAndDirectoriesAreRefused(t *testing.T) {
	w := newWorld(t, "*.log")
	w.must(unix.Mkfifo(w.path("pipe.log"), 0o600))
	w.must(os.Mkdir(w.path("directory.log"), 0o755))
	w.must(os.Symlink("/dev/null", w.path("device.log")))
	w.must(os.Symlink("nowhere", w.path("dangling.log")))
	w.append("app.log", "one\n")
	w.begin()
	w.expect("one")
	w.expectLog("pipe.log")
	w.append("other.log", "two\n")
	w.expect("one", "two")
	if n := strings.Count(w.log.String(), "not a regular file"); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestFirstInputOwnsAFile(t *testing.T) {
	w := newWorld(t)
	w.append("a.log", "one\n")
	w.append("b.log", "two\n")
	w.append("c.log.bak", "three\n")
	w.o.Inputs = []Input{
		{Paths: []string{w.path("b.log")}, StartAt: End},
		{Paths: []string{w.path("*")}, Exclude: []string{"*.bak"}},
	}
	w.begin()
	w.expect("one")
	w.append("b.log", "more\n")
	w.expect("one", "more")
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.log", "b.txt", "x/c.log", "x/y/d.log", "x/skip/e.log"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f := func(want string, exclude string, patterns ...string) {
		t.Helper()
		in := Input{}
		for _, p := range patterns {
			in.Paths = append(in.Paths, filepath.Join(dir, p))
		}
		if exclude != "" {
			in.Exclude = []string{filepath.Join(dir, exclude)}
		}
		var got []string
		for _, found := range find([]Input{in}) {
			rel, _ := filepath.Rel(dir, found.path)
			got = append(got, rel)
			if !in.Matches(found.path) {
				t.Errorf("%s is found and does not match", found.path)
			}
		}
		slices.Sort(got)
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q without %q: %q, want %q", patterns, exclude, s, want)
		}
	}
	f("a.log", "", "*.log")
	f("a.log b.txt x", "", "*")
	f("a.log x/c.log x/skip/e.log x/y/d.log", "", "**/*.log")
	f("a.log x/c.log x/y/d.log", "**/skip/**", "**/*.log")
	f("a.log b.txt", "", "*.{log,txt}", "a.*")
	f("x/c.log", "", "x/c.log")
	f("", "", "missing/*.log")
}

func TestWrongOptions(t *testing.T) {
	f := func(part string, o Options) {
		t.Helper()
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not say %q", err, part)
		}
	}
	f(`"/logs/[a"`, Options{Host: "h", Inputs: []Input{{Paths: []string{"/ok/*", "/logs/[a"}}}})
	f(`"{x"`, Options{Host: "h", Inputs: []Input{{Exclude: []string{"{x"}}}})
	f("empty", Options{Host: "h", Inputs: []Input{{Paths: []string{""}}}})
	f("middle", Options{Host: "h", Inputs: []Input{{StartAt: "middle"}}})
	f("host", Options{})
}
