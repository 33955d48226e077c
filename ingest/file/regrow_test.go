package file

import (
	"os"
	"testing"
)

func (w *world) rewrite(name, text string) {
	w.Helper()
	w.must(os.WriteFile(w.path(name), []byte(text), 0o644)) // truncates and writes
}

func TestTruncatedAndRegrownPastThePosition(t *testing.T) {
	w := newWorld(t)
	lines, text := numbered(0, 50)
	w.append("app.log", text)
	w.begin()
	w.expect(lines...)
	fresh, freshText := numbered(1000, 1400)
	w.rewrite("app.log", freshText)
	w.expect(append(lines, fresh...)...)
	w.expectPosition("app.log", int64(len(freshText)))
	if n := len(w.store.snapshots()); n != 2 {
		t.Errorf("there are %d rows", n)
	}
}

// The beginning is the same; only the bytes before the position tell.
func TestRegrownWithTheSameBanner(t *testing.T) {
	w := newWorld(t)
	banner, bannerText := numbered(0, 40) // longer than a head
	lines, text := numbered(40, 80)
	w.append("app.log", bannerText+text)
	w.begin()
	w.expect(append(banner, lines...)...)
	fresh, freshText := numbered(1000, 1400)
	w.rewrite("app.log", bannerText+freshText)
	w.expect(append(append(append(banner, lines...), banner...), fresh...)...)
}

func TestRegrownWhileNothingRuns(t *testing.T) {
	w := newWorld(t)
	lines, text := numbered(0, 50)
	w.append("app.log", text)
	w.begin()
	w.expect(lines...)
	w.stop()
	fresh, freshText := numbered(1000, 1400)
	w.rewrite("app.log", freshText)
	w.begin()
	w.expect(append(lines, fresh...)...)
	w.expectPosition("app.log", int64(len(freshText)))
}
