package file

import (
	"fmt"
	"os"
	"testing"
)

// Python's RotatingFileHandler: .4 is removed, .3 becomes .4, and so on, and the current file becomes .1.
func (w *world) cascade(name string, backups int) {
	w.Helper()
	for i := backups - 1; i > 0; i-- {
		from := fmt.Sprintf("%s.%d", name, i)
		if _, err := os.Stat(w.path(from)); err == nil {
			w.rename(from, fmt.Sprintf("%s.%d", name, i+1))
		}
	}
	w.rename(name, name+".1")
}

func TestCascade(t *testing.T) {
	for _, pattern := range []string{"app.log", "app.log*"} {
		t.Run(pattern, func(t *testing.T) {
			w := newWorld(t, pattern)
			w.append("app.log", "")
			w.begin()
			var lines []string
			for i := range 20 {
				part, text := numbered(i*100, i*100+100)
				lines = append(lines, part...)
				w.append("app.log", text)
				if pattern == "app.log" { // or nobody could know of the file
					w.awaitLines(i*100 + 1)
				}
				w.cascade("app.log", 50)
			}
			w.expect(lines...)
			w.await("all positions at the ends", func() bool {
				rows := w.store.snapshots()
				sum := int64(0)
				for _, r := range rows {
					sum += r.position
				}
				return len(rows) == 20 && sum == int64(len(joined(lines)))
			})
		})
	}
}
