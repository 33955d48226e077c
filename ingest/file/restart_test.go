package file

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

func TestRestart(t *testing.T) {
	w := newWorld(t)
	var want []string
	for i := range 5 {
		lines, text := numbered(i*100, i*100+100)
		w.append("app.log", text)
		w.begin()
		want = append(want, lines...)
		w.expect(want...)
		w.stop()
	}
	if n := len(w.store.snapshots()); n != 1 {
		t.Errorf("there are %d rows", n)
	}
}

// Killed at any commit, the process begins again where the last one left the row.
func TestKill(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, "app.log*")
			random := rand.New(rand.NewPCG(seed, 1))
			var want []string
			rotations := 0
			for i := range 30 {
				lines, text := numbered(i*1000, i*1000+1000)
				want = append(want, lines...)
				c := w.store.connect()
				left := random.IntN(6)
				c.loses = func() bool { left--; return left < 0 }
				w.beginWith(c)
				w.append("app.log", text)
				w.await("the kill, or all lines", func() bool {
					return c.dead.Err() != nil || len(w.store.texts()) == len(want)
				})
				switch random.IntN(5) {
				case 0:
					rotations++
					w.cascade("app.log", rotations+1)
				case 1:
					rotations++
					w.cascade2("app.log", rotations-1)
					w.copy("app.log", "app.log.1")
					w.truncate("app.log")
				case 2:
					if content, err := os.ReadFile(w.path("app.log.1")); err == nil {
						w.gzip(fmt.Sprintf("app.log.%d.gz", 1000+i), string(content))
						w.remove("app.log.1")
					}
				}
				w.kill()
			}
			w.begin()
			w.expect(want...)
		})
	}
}

func TestMovedOutOfTheInputsWhileNothingRuns(t *testing.T) {
	w := newWorld(t, "app.log", "app.log.1")
	lines, text := numbered(0, 100)
	w.append("app.log", text[:3000])
	w.begin()
	w.awaitLines(50)
	w.rename("app.log", "elsewhere")
	w.expectPositionAnywhere("elsewhere")
	w.kill()
	w.append("elsewhere", text[3000:])
	w.begin()
	w.expect(lines...)
}

func TestMovedWithinTheInputsWhileNothingRuns(t *testing.T) {
	w := newWorld(t, "*.log")
	lines, text := numbered(0, 100)
	w.append("app.log", text[:3000])
	w.begin()
	w.awaitLines(50)
	w.kill()
	w.copy("app.log", "restored.log") // another inode
	w.remove("app.log")
	w.append("restored.log", text[3000:])
	w.begin()
	w.expect(lines...)
	if rows := w.store.snapshots(); len(rows) != 1 || rows[0].epoch != 1 {
		t.Errorf("rows %+v", rows)
	}
}

// expectPositionAnywhere waits until a row says that its bytes lie at name.
func (w *world) expectPositionAnywhere(name string) {
	w.Helper()
	w.await("a row at "+name, func() bool {
		_, ok := w.store.at(w.path(name))
		return ok
	})
}

func TestStartAtEnd(t *testing.T) {
	w := newWorld(t, "*.log")
	w.o.Inputs[0].StartAt = End
	w.append("old.log", "one\ntwo\nthr")
	w.append("empty.log", "")
	w.begin()
	w.expectPosition("old.log", 8)
	w.append("old.log", "ee\n")
	w.append("new.log", "new\n")
	w.append("empty.log", "first\n")
	w.expect("three", "new", "first")
	w.stop()
	w.append("later.log", "later\n")
	w.begin()
	w.expect("three", "new", "first", "later")
}

func TestGoneRowIsNotReadAgain(t *testing.T) {
	w := newWorld(t, "*.log")
	w.append("app.log", "one\n")
	w.begin()
	w.expect("one")
	w.store.mu.Lock()
	clear(w.store.rows)
	w.store.mu.Unlock()
	w.append("app.log", "two\n")
	w.expectLog("position row is gone")
	w.append("other.log", "other\n")
	w.expect("one", "other")
}

func TestPermissionGrantedLater(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("NOT PROVEN as root, who may read everything; TestScript/permission_denied of internal/chaos proves it as another user")
	}
	w := newWorld(t)
	w.append("app.log", "one\n")
	w.must(os.Chmod(w.path("app.log"), 0))
	w.begin()
	w.expectLog("permission denied")
	w.must(os.Chmod(w.path("app.log"), 0o600))
	w.expect("one")
}
