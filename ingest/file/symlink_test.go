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
