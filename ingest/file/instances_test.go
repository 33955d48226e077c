package file

import "testing"

// Two instances on the same files commit every line once between them.
func TestTwoInstances(t *testing.T) {
	w := newWorld(t, "app.log*")
	w.begin()
	s, err := New(w.o)
	w.must(err)
	other := run(w.store.connect(), s)
	defer func() {
		other.stop()
		w.must(<-other.ended)
	}()
	var want []string
	for i := range 10 {
		lines, text := numbered(i*200, i*200+200)
		want = append(want, lines...)
		w.append("app.log", text)
		w.awaitLines(i*200 + 1)
		if i%3 == 2 {
			w.cascade("app.log", i+1)
		}
	}
	w.expect(want...)
}
