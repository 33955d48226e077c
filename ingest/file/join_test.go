package file

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"logflume/pipeline"
)

var allJoins = Joins{Traces: true, Pieces: true}

// A cutter decides how much of a content is there, how much is read at once, and whether the reader starts anew.
type cutter struct {
	end     func(pos, least, size int64) int64 // position up to which there is something: more than least, if that is asked for
	room    func() int
	restart func() bool
}

// atOnce reads everything in one block.
func atOnce(size int) cutter {
	return cutter{
		end:     func(_, _, size int64) int64 { return size },
		room:    func() int { return size + 2*anchorSize },
		restart: func() bool { return false },
	}
}

// eventsOf frames text and returns what was joined, each with its position.
func eventsOf(tb testing.TB, text string, f framing, cut cutter) (events []string) {
	tb.Helper()
	size := int64(len(text))
	src := strings.NewReader(text)
	begin := func(pos int64) *blockReader {
		r := &blockReader{src: src, limit: f.limit, joins: joiner{Joins: f.joins, limit: f.limit}}
		if err := r.seek(pos); err != nil {
			tb.Fatal(err)
		}
		return r
	}
	r := begin(0)
	end, room := cut.end(0, 0, size), cut.room()
	for r.pos < size {
		r.room = room
		b := &pipeline.Batch{Arena: make([]byte, 0, room)}
		what, err := r.fill(b, end, end == size)
		if err != nil {
			tb.Fatal(err)
		}
		switch what {
		case full:
			for i := range b.Lines {
				if !b.Lines[i].Joined {
					events = append(events, fmt.Sprintf("%d %s", b.Lines[i].Offset, b.RawJoined(i)))
				}
			}
			if err := r.advance(b); err != nil {
				tb.Fatal(err)
			}
			end, room = cut.end(r.pos, 0, size), cut.room()
			if cut.restart() {
				r = begin(r.pos)
			}
		case small:
			room = min(2*room, r.need())
		case dry, joining:
			if end == size {
				tb.Fatalf("%v at the end, at position %d of %d", what, r.pos, size)
			}
			end = cut.end(r.pos, end, size)
		case short:
		case replaced:
			tb.Fatal("replaced")
		}
	}
	return events
}

// tracesOf returns the events of a file of traces.
func tracesOf(tb testing.TB, name string) []string {
	tb.Helper()
	p, err := os.ReadFile(filepath.Join("testdata", "traces", name+".txt"))
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(p), "\n"), "\n====\n")
}

var languages = []string{"python", "java", "go", "node", "dotnet", "ruby"}

// inCRI and inDocker wrap the lines of an event.
func inCRI(stream, event string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(event, "\n") {
		fmt.Fprintf(&b, "2026-01-20T12:00:00.5Z %s F %s\n", stream, line)
	}
	return b.String()
}

func inDocker(stream, event string) string {
	var b strings.Builder
	escape := strings.NewReplacer("\\", `\\`, `"`, `\"`, "\t", `\t`)
	for line := range strings.SplitSeq(event, "\n") {
		fmt.Fprintf(&b, `{"log":"%s\n","stream":"%s","time":"2026-01-20T12:00:00.5Z"}`+"\n", escape.Replace(line), stream)
	}
	return b.String()
}

// contentsOf returns the texts of events without their positions.
func contentsOf(events []string) []string {
	texts := make([]string, len(events))
	for i, e := range events {
		_, texts[i], _ = strings.Cut(e, " ")
	}
	return texts
}

func TestTracesAreJoined(t *testing.T) {
	t.Parallel()
	plain := func(event string) string { return event + "\n" }
	cri := func(event string) string { return inCRI("stderr", event) }
	docker := func(event string) string { return inDocker("stderr", event) }
	for _, language := range languages {
		for name, wrap := range map[string]func(string) string{"plain": plain, "CRI": cri, "docker": docker} {
			var want []string
			var text strings.Builder
			for _, event := range tracesOf(t, language) {
				text.WriteString(wrap(event))
				want = append(want, strings.TrimSuffix(wrap(event), "\n"))
			}
			got := contentsOf(eventsOf(t, text.String(), framing{1 << 20, allJoins}, atOnce(text.Len())))
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s:\n%s\n----- want\n%s", language, name, strings.Join(got, "\n====\n"), strings.Join(want, "\n====\n"))
			}
		}
	}
}

// What the other stream writes meanwhile does not part a trace.
func TestTraceAmongLinesOfTheOtherStream(t *testing.T) {
	t.Parallel()
	for _, language := range languages {
		var want []string
		var text strings.Builder
		for _, event := range tracesOf(t, language) {
			want = append(want, strings.TrimSuffix(inCRI("stderr", event), "\n"))
			for line := range strings.Lines(inCRI("stderr", event)) {
				text.WriteString(line)
				other := inCRI("stdout", `{"msg":"meanwhile"}`)
				text.WriteString(other)
				want = append(want, strings.TrimSuffix(other, "\n"))
			}
		}
		got := contentsOf(eventsOf(t, text.String(), framing{1 << 20, allJoins}, atOnce(text.Len())))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s", language, difference(got, want))
		}
	}
}

func TestJoins(t *testing.T) {
	t.Parallel()
	f := func(joins Joins, text string, want ...string) {
		t.Helper()
		got := contentsOf(eventsOf(t, text, framing{200, joins}, atOnce(len(text))))
		if !slices.Equal(got, want) {
			t.Errorf("%q\ngot  %q\nwant %q", text, got, want)
		}
	}
	traces, pieces, none := Joins{Traces: true}, Joins{Pieces: true}, Joins{}
	f(none, "a\n  b\n", "a", "  b")
	f(traces, "a\n  b\n\tc\nd\n", "a\n  b\n\tc", "d")
	f(traces, "a\r\n  b\r\n", "a\r\n  b")
	f(traces, "a\n\n  b\n", "a", "  b")
	f(traces, "  a\n  b\n", "  a", "  b")                   // nothing to belong to
	f(traces, "\tat A.b\n\tat C.d\n", "\tat A.b\n\tat C.d") // the rest of a trace
	f(traces, "{\"a\":1}\n  b\n", `{"a":1}`, "  b")
	f(traces, "a\n  {\"a\":1}\n  [{}]\n  b\n", "a", `  {"a":1}`, "  [{}]", "  b")
	f(traces, "[1] a\n  b\n", "[1] a\n  b")
	f(traces, "a\n  b", "a\n  b")
	f(traces, "started\nTraceback (most recent call last):\n  File \"a\"\nE\nnext\n", "started", "Traceback (most recent call last):\n  File \"a\"\nE", "next")
	f(traces, "started\na.b.CException: x\n\tat d\n", "started", "a.b.CException: x\n\tat d")
	f(traces, "an ERROR\na.b.CException: x\n\tat d\n", "an ERROR\na.b.CException: x\n\tat d")
	f(traces, "a.b.CException: x\na.b.CException: y\n", "a.b.CException: x", "a.b.CException: y")
	f(traces, "terror\na.b.CException: x\n", "terror", "a.b.CException: x")
	f(traces, "lastError=3\na.b.CException: x\n", "lastError=3\na.b.CException: x")
	f(traces, "panic: a\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:1\n\nnext\n", "panic: a\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:1", "next")
	f(traces, strings.Repeat("x", 201)+"\n  b\n", strings.Repeat("x", 200), "  b") // over the limit: it is dead, and alone

	const at, later = "2026-01-20T12:00:00.900Z ", "2026-01-20T12:00:02Z "
	f(pieces, at+"stdout P a\n"+at+"stdout F b\n"+at+"stdout F c\n", at+"stdout P a\n"+at+"stdout F b", at+"stdout F c")
	f(pieces, at+"stdout P a\n"+at+"stderr P x\n"+at+"stdout F b\n"+at+"stderr F y\n",
		at+"stdout P a\n"+at+"stdout F b", at+"stderr P x\n"+at+"stderr F y")
	f(pieces, at+"stdout P a\n"+later+"stdout F b\n", at+"stdout P a\n"+later+"stdout F b")
	f(pieces, at+"stdout P a\n2026-01-20T12:00:12Z stdout F b\n", at+"stdout P a", "2026-01-20T12:00:12Z stdout F b")
	f(pieces, at+"stdout P a\nplain\n", at+"stdout P a", "plain")
	f(pieces, at+"stdout F a\n"+at+"stdout F   b\n", at+"stdout F a", at+"stdout F   b")
	f(traces, at+"stdout P a\n"+at+"stdout F b\n", at+"stdout P a", at+"stdout F b")
	f(allJoins, at+"stdout F a\n"+at+"stdout F  b\n", at+"stdout F a\n"+at+"stdout F  b")
	f(allJoins, at+"stdout F a\n"+later+"stdout F  b\n", at+"stdout F a", later+"stdout F  b")
	f(allJoins, "2026-01-20T23:59:59.9Z stdout F a\n2026-01-21T00:00:00.1Z stdout F  b\n", "2026-01-20T23:59:59.9Z stdout F a\n2026-01-21T00:00:00.1Z stdout F  b")
	const docker = `{"log":"%s","stream":"stdout","time":"2026-01-20T12:00:00Z"}`
	a, b, c := fmt.Sprintf(docker, "a"), fmt.Sprintf(docker, `b\n`), fmt.Sprintf(docker, `c\\n`)
	f(pieces, a+"\n"+b+"\n"+b+"\n", a+"\n"+b, b)
	f(pieces, c+"\n"+b+"\n", c+"\n"+b)
}

// A join has its limits, and what comes beyond them is not lost.
func TestLimitsOfAJoin(t *testing.T) {
	t.Parallel()
	frame := "\tat a.B.c(B.java:7)\n"
	text := "head\n" + strings.Repeat(frame, 2*maxJoinLines) + "next\n"
	count := func(limit int) (lines []int) {
		for _, e := range eventsOf(t, text, framing{limit, allJoins}, atOnce(len(text))) {
			lines = append(lines, strings.Count(e, "\n")+1)
		}
		return lines
	}
	if got := count(1 << 20); !slices.Equal(got, []int{maxJoinLines, maxJoinLines, 1, 1}) {
		t.Errorf("joined %v lines", got)
	}
	got := count(100 * len(frame))
	if got[0] != 100 || got[1] != 100 || len(got) < 40 {
		t.Errorf("joined %v lines", got)
	}
}

// However a content is cut into reads, blocks and runs, the same lines are joined, and no position lies within a join.
func TestJoinsDoNotDependOnCuts(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		text := mixture(t, random)
		f := framing{[]int{1 << 10, 4 << 10, 1 << 20}[random.IntN(3)], allJoins}
		want := eventsOf(t, text, f, atOnce(len(text)))
		got := eventsOf(t, text, f, cutter{
			end: func(pos, least, size int64) int64 {
				return min(max(least, pos)+1+random.Int64N([]int64{10, 300, 10_000}[random.IntN(3)]), size)
			},
			room:    func() int { return 200 + random.IntN([]int{200, 5000, 100_000}[random.IntN(3)]) },
			restart: func() bool { return random.IntN(3) == 0 },
		})
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, limit %d:\n%s\ntext:\n%s", seed, f.limit, difference(got, want), text)
		}
	}
}

// mixture returns events of all kinds in any order, those of container runtimes with lines of two streams in between.
func mixture(tb testing.TB, random *rand.Rand) string {
	tb.Helper()
	var all []string
	for _, language := range languages {
		all = append(all, tracesOf(tb, language)...)
	}
	all = append(all, `{"msg":"json"}`, "", "plain", "  indented", `  {"indented":"json"}`, "ERROR it failed", "\r", strings.Repeat("x", 1500),
		"goroutine 7 [running]:", "Caused by: a.B", "a.b.CException: d", "}", "2026-01-20T12:00:00.1Z stdout F")
	pick := func() string { return all[random.IntN(len(all))] }
	var b strings.Builder
	for range 1 + random.IntN(20) {
		switch random.IntN(4) {
		case 0, 1:
			b.WriteString(pick() + "\n")
		case 2:
			b.WriteString(inDocker("stderr", pick()))
		case 3: // two streams at once, their lines cut in pieces
			queues := [2][]string{}
			for i, stream := range []string{"stdout", "stderr"} {
				for range 1 + random.IntN(4) {
					for line := range strings.Lines(inCRI(stream, pick())) {
						if cut := strings.Replace(line, " F ", " P ", 1); random.IntN(6) == 0 {
							queues[i] = append(queues[i], cut)
						}
						if random.IntN(20) == 0 {
							line = strings.Replace(line, "12:00:00.5", "12:00:02.7", 1)
						}
						queues[i] = append(queues[i], line)
					}
				}
			}
			for len(queues[0])+len(queues[1]) > 0 {
				if i := random.IntN(2); len(queues[i]) > 0 {
					b.WriteString(queues[i][0])
					queues[i] = queues[i][1:]
				}
			}
		}
	}
	return b.String()
}
