package file

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestSymlinkSwap(t *testing.T) {
	w := newWorld(t, "current.log")
	elsewhere := t.TempDir()
	w.begin()
	var lines []string
	for i := range 5 {
		target := filepath.Join(elsewhere, fmt.Sprintf("%d.log", i))
		part, text := numbered(i*100, i*100+100)
		lines = append(lines, part...)
		w.must(os.WriteFile(target, []byte(text[:1000]), 0o644))
		w.must(os.Symlink(target, w.path("new")))
		w.rename("new", "current.log")
		w.awaitLines(i*100 + 1)
		f, err := os.OpenFile(target, os.O_APPEND|os.O_WRONLY, 0)
		w.must(err)
		_, err = f.WriteString(text[1000:])
		w.must(err)
		w.must(f.Close())
	}
	w.expect(lines...)
}

// What a link led to is read to its end although the link, or one to its directory, leads elsewhere when a process starts.
func TestLinkLedElsewhereWhileNothingRuns(t *testing.T) {
	for name, link := range map[string]string{"of the file": "app.log", "of its directory": "data"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "app.log", "data/app.log")
			w.must(os.Mkdir(w.path("one"), 0o755))
			w.must(os.Mkdir(w.path("two"), 0o755))
			lead := func(dir string) {
				target := dir
				if link == "app.log" {
					target += "/app.log"
				}
				w.must(os.Symlink(target, w.path("next")))
				w.rename("next", link)
			}
			w.append("one/app.log", "one\n")
			lead("one")
			w.begin()
			w.expect("one")
			w.stop()
			w.append("one/app.log", "unread\n")
			w.append("two/app.log", "two\n")
			lead("two")
			w.begin()
			w.expect("one", "unread", "two")
		})
	}
}
