package file

import "testing"

func TestPartialLineWaitsForItsEnd(t *testing.T) {
	w := newWorld(t)
	w.append("app.log", "one\ntw")
	w.begin()
	w.expect("one")
	w.expectPosition("app.log", 4)
	w.append("app.log", "o")
	w.append("app.log", "\nthree\n")
	w.expect("one", "two", "three")
	w.expectPosition("app.log", 14)
}

func TestLinesWrittenByteByByte(t *testing.T) {
	w := newWorld(t)
	w.begin()
	lines, text := numbered(0, 30)
	for i := range len(text) {
		w.append("app.log", text[i:i+1])
	}
	w.expect(lines...)
}
