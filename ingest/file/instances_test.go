package file

import "testing"

// beside starts another instance, which ends with the test.
func (w *world) beside(o Options) *process {
	w.Helper()
	s, err := New(o)
	w.must(err)
	other := run(w.store.connect(), s)
	w.Cleanup(func() {
		other.stop()
		w.must(<-other.ended)
	})
	return other
}

// Two instances on the same files commit every line once between them.
func TestTwoInstances(t *testing.T) {
	w := newWorld(t, "app.log*")
	w.begin()
	w.beside(w.o)
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
