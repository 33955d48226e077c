package file

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"logflume/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// aeon is longer than any test, even when its clock is moved on by hours.
const aeon = 1000 * time.Hour

// A movedClock is the system's clock with its hands moved on.
type movedClock struct{ ahead atomic.Int64 }

func (c *movedClock) Now() time.Time                         { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *movedClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
func (c *movedClock) advance(d time.Duration)                { c.ahead.Add(int64(d)) }

// A world is a directory, a database and at most one process that reads the one into the other.
type world struct {
	*testing.T
	dir   string
	store *store
	clock *movedClock
	o     Options
	log   *logBuffer

	process *process
}

type process struct {
	*connection
	stats *pipeline.Stats
	stop  context.CancelFunc
	ended chan error
}

func newWorld(t *testing.T, patterns ...string) *world {
	t.Helper()
	t.Parallel()
	w := &world{T: t, dir: t.TempDir(), store: newStore(), clock: &movedClock{}, log: &logBuffer{}}
	if len(patterns) == 0 {
		patterns = []string{"app.log"}
	}
	for i, p := range patterns {
		patterns[i] = filepath.Join(w.dir, p)
	}
	w.o = Options{
		Inputs: []Input{{Paths: patterns}}, Host: "host", CopyWait: aeon, Grace: aeon, Clock: w.clock,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	t.Cleanup(func() {
		if w.process != nil {
			w.stop()
		}
		if t.Failed() || os.Getenv("SHOW") != "" {
			t.Log(w.log.String())
			for _, r := range w.store.snapshots() {
				t.Logf("%+v", r)
			}
		}
	})
	return w
}

// begin starts a process.
func (w *world) begin() { w.beginWith(w.store.connect()) }

func (w *world) beginWith(c *connection) {
	w.Helper()
	s, err := New(w.o)
	if err != nil {
		w.Fatal(err)
	}
	w.process = run(c, s)
}

// run runs one source into c.
func run(c *connection, s pipeline.Source) *process {
	ctx, stop := context.WithCancel(context.Background())
	p := &process{connection: c, stats: &pipeline.Stats{}, stop: stop, ended: make(chan error, 1)}
	in := pipeline.NewIntake(c, pipeline.NewBudget(16<<20), p.stats, 8)
	go func() {
		p.ended <- pipeline.Run(ctx, pipeline.Pipeline{
			Sources: []pipeline.Source{s}, Intake: in, Workers: 2, Grace: patience, Sink: c,
			Stages: func() []pipeline.Processor { return nil },
		})
	}()
	return p
}

// stop ends the process as SIGTERM does.
func (w *world) stop() {
	w.Helper()
	w.process.stop()
	if err := <-w.process.ended; err != nil {
		w.Error("the pipeline ended with", err)
	}
	w.process.kill()
	w.process = nil
}

// kill ends the process as SIGKILL does: what it has not committed never will be.
func (w *world) kill() {
	w.Helper()
	w.process.kill()
	w.stop()
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// append writes text to the end of a file, creating it if need be.
func (w *world) append(name, text string) {
	w.Helper()
	f, err := os.OpenFile(w.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	w.must(err)
	_, err = f.WriteString(text)
	w.must(err)
	w.must(f.Close())
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) rename(from, to string) { w.Helper(); w.must(os.Rename(w.path(from), w.path(to))) }
func (w *world) remove(name string)     { w.Helper(); w.must(os.Remove(w.path(name))) }
func (w *world) truncate(name string)   { w.Helper(); w.must(os.Truncate(w.path(name), 0)) }

func (w *world) copy(from, to string) {
	w.Helper()
	p, err := os.ReadFile(w.path(from))
	w.must(err)
	w.must(os.WriteFile(w.path(to), p, 0o644))
}

// await waits until what is the case.
func (w *world) await(what string, is func() bool) {
	w.Helper()
	late := time.After(patience)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		w.store.mu.Lock()
		changed := w.store.changed
		w.store.mu.Unlock()
		if is() {
			return
		}
		select {
		case <-changed:
		case <-look.C:
		case <-late:
			w.Fatalf("waited in vain: %s", what)
		}
	}
}

// expect waits until exactly the lines of texts have been committed, in any order across streams.
func (w *world) expect(texts ...string) {
	w.Helper()
	want := slices.Sorted(slices.Values(texts))
	w.awaitLines(len(want))
	if got := slices.Sorted(slices.Values(w.store.texts())); !slices.Equal(got, want) {
		w.Fatalf("lines differ:\n%s", difference(got, want))
	}
}

func (w *world) awaitLines(n int) {
	w.Helper()
	w.await(fmt.Sprintf("%d lines", n), func() bool {
		w.store.mu.Lock()
		defer w.store.mu.Unlock()
		return len(w.store.lines) >= n
	})
}

// expectPosition waits until the row of the file has the position.
func (w *world) expectPosition(name string, position int64) {
	w.Helper()
	w.await(fmt.Sprintf("%s at position %d", name, position), func() bool {
		r, ok := w.store.at(w.path(name))
		return ok && r.position == position
	})
}

// expectLog waits for a message.
func (w *world) expectLog(part string) {
	w.Helper()
	w.await("log message "+part, func() bool { return strings.Contains(w.log.String(), part) })
}

func difference(got, want []string) string {
	count := map[string]int{}
	for _, s := range want {
		count[s]++
	}
	for _, s := range got {
		count[s]--
	}
	var b strings.Builder
	for _, s := range slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(got), want...)))) {
		switch n := count[s]; {
		case n > 0:
			fmt.Fprintf(&b, "missing %d× %.80q\n", n, s)
		case n < 0:
			fmt.Fprintf(&b, "extra %d× %.80q\n", -n, s)
		}
	}
	return b.String()
}

// numbered returns lines from up to but not including to, each with its number, and their text in a file.
func numbered(from, to int) (lines []string, text string) {
	for i := from; i < to; i++ {
		lines = append(lines, fmt.Sprintf(`{"n":%d,"message":"the line with this number"}`, i))
	}
	return lines, joined(lines)
}

func joined(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func numberedName(name string, i int) string { return fmt.Sprintf("%s.%d", name, i) }
