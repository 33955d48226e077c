package chaos

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A risk is a range of lines that were written while a rotation was about to destroy what it did not copy.
type risk struct {
	First, Last int64
	Bytes       int64
}

func (r risk) includes(n int64) bool { return r.First <= n && n <= r.Last }

// written returns what the writers wrote, who have ended, less what is in none of their files any more. Only what a writer
// says it risked can be that; anything else is a fault of the rig.
func (r *Rig) written() Account {
	r.t.Helper()
	written := r.account
	written.Lines, written.Gone, written.GoneBytes = map[string]int64{}, map[string][]int64{}, 0
	for _, w := range r.writers {
		written.Lines[w.Name] += int64(w.Lines)
	}
	for _, w := range r.writers {
		if len(w.did.Risks) == 0 {
			continue
		}
		left, err := numbersIn(r.Logs, w.Name)
		if err != nil {
			r.t.Fatal(err)
		}
		counted := map[int]bool{}
		for n := int64(1); n <= int64(w.Lines); n++ {
			if left[n] {
				continue
			}
			i := slices.IndexFunc(w.did.Risks, func(x risk) bool { return x.includes(n) })
			if i < 0 {
				r.t.Fatalf("line %d of writer %s is in no file, and no rotation was going on when it was written", n, w.Name)
			}
			written.Gone[w.Name] = append(written.Gone[w.Name], n)
			if !counted[i] {
				counted[i] = true
				written.GoneBytes += w.did.Risks[i].Bytes
			}
		}
	}
	return written
}

// numbersIn returns the numbers of a writer's lines in all files under dir, compressed ones too.
func numbersIn(dir, writer string) (map[int64]bool, error) {
	numbers := map[int64]bool{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		var content io.Reader = file
		if strings.HasSuffix(path, ".gz") {
			if content, err = gzip.NewReader(file); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		return addNumbers(numbers, content, writer)
	})
	return numbers, err
}

func addNumbers(numbers map[int64]bool, content io.Reader, writer string) error {
	for lines := bufio.NewReader(content); ; {
		text, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // a line that is cut off is none
		}
		if err != nil {
			return err
		}
		var line numbered
		if err := json.Unmarshal(text, &line); err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		if line.Writer == writer {
			numbers[line.N] = true
		}
	}
}
