package parse

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"logflume/pipeline"
)

// Clocks of the tests: lines are read at received, and the parser runs a little later.
var (
	received = time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)
	now      = received.Add(time.Second)
)

// newParser returns a parser with the tests' clock.
func newParser(tb testing.TB, o Options) (pipeline.Processor, *pipeline.Stats) {
	tb.Helper()
	o.Now = func() time.Time { return now }
	o.Stats = &pipeline.Stats{}
	make, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return make(), o.Stats
}

// batchOf returns a batch of the lines, as a source would fill it.
func batchOf(lines ...string) *pipeline.Batch {
	b := &pipeline.Batch{
		Stream:   pipeline.NewStream(pipeline.Checkpoint{Key: "file:test/1:2#1", Epoch: 1}),
		Received: received.UnixMicro(),
	}
	for _, l := range lines {
		start := len(b.Arena)
		b.Arena = append(b.Arena, l...)
		b.Lines = append(b.Lines, pipeline.Line{Offset: b.To, Start: start, End: len(b.Arena), Length: int64(len(l))})
		b.Arena = append(b.Arena, '\n')
		b.To += int64(len(l)) + 1
	}
	return b
}

// parseLines parses lines in one batch with default options.
func parseLines(tb testing.TB, lines ...string) *pipeline.Batch {
	tb.Helper()
	p, _ := newParser(tb, Options{})
	b := batchOf(lines...)
	p.Process(b)
	return b
}

// parseOne parses one line that must give one event.
func parseOne(tb testing.TB, line string) *pipeline.Event {
	tb.Helper()
	b := parseLines(tb, line)
	if len(b.Events) != 1 || len(b.Dead) != 0 {
		tb.Fatalf("%s: %d events and %d dead letters, want one event", line, len(b.Events), len(b.Dead))
	}
	return &b.Events[0]
}

// corpus returns n lines of the sample generator, the same every time.
func corpus(tb testing.TB, n int) []string {
	tb.Helper()
	const tool = "../../shared/tools/loggen"
	if _, err := os.Stat(tool); err != nil {
		tb.Skipf("SKIPPED, NOT TESTED: the corpus generator is absent: %v", err)
	}
	c := exec.Command("go", "run", "-C", tool, ".", "-seed", "1", "-n", strconv.Itoa(n))
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		tb.Fatalf("run the corpus generator: %v\n%s", err, stderr.Bytes())
	}
	var lines []string
	for l := range bytes.Lines(out) {
		lines = append(lines, string(bytes.TrimSuffix(l, []byte("\n"))))
	}
	return lines
}
