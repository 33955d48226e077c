package file

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// While one of two instances rests, the other reads on, through several rotations by copy. The copies are not new to the one
// that rests.
func TestTwoInstancesAndCopytruncate(t *testing.T) {
	w := newWorld(t, "app.log*")
	w.begin()
	o := w.o
	o.Log = o.Log.With("instance", "other")
	other := w.beside(o)
	var want []string
	for i := range 12 {
		lines, text := numbered(i*100, i*100+100)
		want = append(want, lines...)
		w.append("app.log", text)
		w.expect(want...)
		w.copy("app.log", numberedName("app.log", i+1))
		if i%2 == 1 { // read in time
			more, moreText := numbered(10000+i, 10001+i)
			want = append(want, more...)
			w.append("app.log", moreText)
			w.expect(want...)
		}
		w.truncate("app.log")
	}
	w.await("both to know all files", func() bool {
		return w.process.stats.FilesOpen.Load() == 13 && other.stats.FilesOpen.Load() == 13
	})
	w.append("app.log", "last\n")
	w.expect(append(want, "last")...)
}

// All rows are read when a process starts and once more for the new files that it finds, however many there are.
func TestOneSurveyForAllFiles(t *testing.T) {
	const files = 200
	w := newWorld(t, "*.log")
	var want []string
	for i := range files {
		want = append(want, fmt.Sprintf("file %d", i))
		w.append(fmt.Sprintf("%d.log", i), want[i]+"\n")
	}
	c := w.store.connect()
	var lists atomic.Int64
	c.asks = func(prefix string) {
		if prefix == keyPrefix("host") {
			lists.Add(1)
		}
	}
	w.beginWith(c)
	w.expect(want...)
	if n := lists.Load(); n != 2 {
		t.Errorf("all rows were read %d times", n)
	}
}
