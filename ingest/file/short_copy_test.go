package file

import "testing"

// Lines that are added between the copy and the truncation, and read in time, are not in the copy, which is therefore
// shorter than the position.
func TestCopytruncateOfLessThanWasRead(t *testing.T) {
	for name, compressed := range map[string]bool{"plain": false, "compressed at once": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "app.log*")
			w.o.CopyWait = 5 * aeon
			lines, copied := w.readMoreThanIsCopied()
			if compressed {
				w.gzip("app.log.1.gz", copied)
				w.remove("app.log.1")
			}
			w.truncate("app.log")
			lines = append(lines, w.addFresh()...)
			w.expect(lines...)
			w.expectNothingHeld()
			if lost := w.process.stats.LostBytes.Load(); lost != 0 {
				t.Errorf("%d bytes are lost", lost)
			}
			w.append("app.log", "more\n")
			w.expect(append(lines, "more")...)
		})
	}
}

// The process that reads on knows of the stream only what its row says.
func TestCopytruncateOfLessThanWasReadWhileNothingRuns(t *testing.T) {
	for name, compressed := range map[string]bool{"plain": false, "compressed": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "app.log*")
			w.o.CopyWait = 5 * aeon
			lines, copied := w.readMoreThanIsCopied()
			w.kill()
			if compressed {
				w.gzip("app.log.1.gz", copied)
				w.remove("app.log.1")
			}
			w.truncate("app.log")
			lines = append(lines, w.addFresh()...)
			w.begin()
			w.expect(lines...)
			w.expectNothingHeld()
			w.stop()
			w.begin() // with rows for all files
			w.append("app.log", "more\n")
			w.expect(append(lines, "more")...)
		})
	}
}

// readMoreThanIsCopied returns all lines that were read, and the text of the copy.
func (w *world) readMoreThanIsCopied() (lines []string, copied string) {
	lines, copied = numbered(0, 100)
	w.append("app.log", copied)
	w.begin()
	w.expect(lines...)
	w.copy("app.log", "app.log.1")
	w.await("the copy to be held", func() bool { return w.process.stats.FilesHeld.Load() == 1 })
	more, text := numbered(100, 110)
	w.append("app.log", text)
	lines = append(lines, more...)
	w.expect(lines...)
	return lines, copied
}

func (w *world) addFresh() []string {
	lines, text := numbered(110, 130)
	w.append("app.log", text)
	return lines
}

// expectNothingHeld lets the copy wait pass, as often as need be: it begins when the database has answered.
func (w *world) expectNothingHeld() {
	w.Helper()
	w.await("nothing to be held, and no stream to wait", func() bool {
		w.clock.advance(6 * aeon)
		return w.process.stats.FilesHeld.Load() == 0 && w.process.stats.FilesWaiting.Load() == 0
	})
}

// A file that only begins as the stream did is a new one.
func TestNoShortCopy(t *testing.T) {
	w := newWorld(t, "app.log*")
	banner, bannerText := numbered(0, 30)
	lines, text := numbered(100, 300)
	w.append("app.log", bannerText+text)
	w.begin()
	w.expect(append(banner, lines...)...)
	w.kill()
	w.truncate("app.log")
	w.append("app.log", "fresh\n")
	others, otherText := numbered(500, 550)
	w.append("app.log.other", bannerText+otherText)
	w.begin()
	want := append(append(append(append([]string{"fresh"}, banner...), lines...), banner...), others...)
	w.expect(want...)
}
