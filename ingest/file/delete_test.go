package file

import "testing"

func TestDeletedFileIsReadToItsEnd(t *testing.T) {
	w := newWorld(t)
	lines, text := numbered(0, 5000)
	c := w.store.connect()
	c.gate = make(chan struct{})
	w.append("app.log", text)
	w.beginWith(c)
	w.await("the row", func() bool { return len(w.store.snapshots()) == 1 })
	w.remove("app.log")
	fresh, freshText := numbered(5000, 5100)
	w.append("app.log", freshText)
	close(c.gate)
	w.expect(append(lines, fresh...)...)
	w.expectPosition("app.log", int64(len(freshText)))
}

// An inode that is given to a new file begins a new stream, whatever the old row says.
func TestReusedInode(t *testing.T) {
	w := newWorld(t)
	var lines []string
	for i := range 10 {
		part, text := numbered(i*100, i*100+100)
		lines = append(lines, part...)
		w.append("app.log", text)
		w.begin()
		w.expect(lines...)
		w.stop()
		w.remove("app.log")
	}
}
