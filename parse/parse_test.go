package parse

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"logflume/pipeline"
)

// outline says in one line what became of a batch: messages of the events, reasons of the dead letters.
func outline(b *pipeline.Batch) string {
	var parts []string
	for i := range b.Events {
		e := &b.Events[i]
		parts = append(parts, fmt.Sprintf("%d.%d %s", e.Line, e.Index, e.Message))
	}
	for i := range b.Dead {
		parts = append(parts, fmt.Sprintf("%d dead: %s", b.Dead[i].Line, b.Dead[i].Reason))
	}
	return strings.Join(parts, "; ")
}

func TestFraming(t *testing.T) {
	t.Parallel()
	f := func(format Format, line, want string) {
		t.Helper()
		p, _ := newParser(t, Options{Format: format})
		b := batchOf(line)
		p.Process(b)
		if got := outline(b); got != want {
			t.Errorf("%s %.60q: %s, want %s", format, line, got, want)
		}
		if l := b.Ledger(); l.Kept+l.Filtered+l.Dead != 1 {
			t.Errorf("%s %.60q: ledger %+v", format, line, l)
		}
	}
	many := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(`{},`, n), ",") + "]" }

	f(Auto, `{"message":"a"}`, "0.0 a")
	f(Auto, " \t{\"message\":\"a\"} \r", "0.0 a")
	f(Auto, "\uFEFF"+`{"message":"a"}`, "0.0 a")
	f(Auto, "\uFEFFhello", "0.0 hello")
	f(Auto, `{}`, "0.0 ")
	f(Auto, `{"message":"a"}{"message":"b"} {"message":"c"}`, "0.0 a; 0.1 b; 0.2 c")
	f(Auto, `{"message":"a"}{"message":"b"`, "0 dead: "+badEnd)
	f(Auto, `{"message":"a"} [1]`, "0 dead: "+badRest)
	f(Auto, `{"message":"a"},`, "0 dead: "+badRest)
	f(Auto, `[{"message":"a"}, {"message":"b"}]`, "0.0 a; 0.1 b")
	f(Auto, `[ ]`, "")
	f(Auto, `[{}`, "0 dead: "+badEnd)
	f(Auto, `[{},`, "0 dead: "+badEnd)
	f(Auto, `[{},]`, "0 dead: "+badKind)
	f(Auto, `[{} {}]`, "0 dead: "+badByte)
	f(Auto, `[{"message":"a"},5]`, "0 dead: "+badKind)
	f(Auto, `[{"message":"a"},[]]`, "0 dead: "+badKind)
	f(Auto, `[{}]{}`, "0 dead: "+badRest)
	f(Auto, many(10_001), "0 dead: "+badCount)
	f(Auto, strings.Repeat("{}", 10_001), "0 dead: "+badCount)
	f(Auto, `{"message":`, "0 dead: "+badEnd)
	f(Auto, `{hello}`, "0 dead: "+badByte)
	f(Auto, `[4545] [INFO] Booting`, "0.0 [4545] [INFO] Booting")
	f(Auto, `[`, "0.0 [")
	f(Auto, `null`, "0.0 null")
	f(Auto, `42`, "0.0 42")
	f(Auto, "  at foo\r", "0.0   at foo")
	f(Auto, "", "")
	f(Auto, " \t\r", "")
	f(Auto, "a\x00b", "0 dead: "+badText)
	f(Auto, "{\"message\":\"a\x00b\"}", "0 dead: "+badControl)
	f(Auto, "{\x00}", "0 dead: "+badByte)
	f(Auto, "\x1f\x8b\x08\xff\xfe\xfd\xfc\x01\x02abc", "0 dead: "+badText)
	f(Auto, "\x1b[31mred\x1b[0m\ttab", "0.0 \x1b[31mred\x1b[0m\ttab")
	f(Auto, "caf\xe9 cr\xe8me and a good deal more text", "0.0 caf� cr�me and a good deal more text")
	f(JSON, `{"message":"a"}`, "0.0 a")
	f(JSON, `hello`, "0 dead: "+badKind)
	f(JSON, `42`, "0 dead: "+badKind)
	f(JSON, `null`, "0 dead: "+badKind)
	f(JSON, `[1,2]`, "0 dead: "+badKind)
	f(JSON, ``, "")
	f(Text, `{"message":"a"}`, `0.0 {"message":"a"}`)

	if n := len(parseLines(t, many(10_000)).Events); n != 10_000 {
		t.Errorf("an array of 10000: %d events", n)
	}
}

func TestBadLineLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	p, stats := newParser(t, Options{})
	b := batchOf(`{"message":"a"}`, `[{"a":"\u0000","timestamp":"1999-01-01T00:00:00Z"},{"message":"gone"},`, `{"message":"b"}`)
	p.Process(b)
	if got := outline(b); got != "0.0 a; 2.0 b; 1 dead: "+badEnd {
		t.Error(got)
	}
	if n, m := stats.Sanitised.Load(), stats.Retimed.Load(); n != 0 || m != 0 {
		t.Errorf("the dead line was counted: %d sanitised, %d retimed", n, m)
	}
}

func TestLongLineIsOneDeadLetter(t *testing.T) {
	t.Parallel()
	p, _ := newParser(t, Options{})
	b := batchOf(`{"message":"the head of a lo`, `{"message":"b"}`)
	b.Lines[0].Length = 5 << 20
	p.Process(b)
	if got := outline(b); got != "1.0 b; 0 dead: "+badLength {
		t.Error(got)
	}
	if d := b.Dead[0]; d.Length != 5<<20 || !d.Truncated || string(d.Raw) != `{"message":"the head of a lo` {
		t.Errorf("%+v", d)
	}
}

func TestByteOrderMarkOnlyAtTheStart(t *testing.T) {
	t.Parallel()
	b := parseLines(t, `{"message":"a"}`, "\uFEFF"+`{"message":"b"}`)
	if got := outline(b); got != "0.0 a; 1.0 \uFEFF"+`{"message":"b"}` {
		t.Error(got)
	}
}

func TestEventKnowsItsPlace(t *testing.T) {
	t.Parallel()
	p, _ := newParser(t, Options{Service: "checkout"})
	b := batchOf(`one`, `[{"service":"cart"},{}]`)
	b.Lines[1].Partial = true
	p.Process(b)
	for i, want := range []pipeline.Event{
		{Offset: 0, Line: 0, Index: 0, Service: "checkout"},
		{Offset: 4, Line: 1, Index: 0, Service: "cart", Attrs: []byte(`{"_partial":true}`)},
		{Offset: 4, Line: 1, Index: 1, Service: "checkout", Attrs: []byte(`{"_partial":true}`)},
	} {
		e := &b.Events[i]
		if e.Offset != want.Offset || e.Line != want.Line || e.Index != want.Index || e.Service != want.Service ||
			string(e.Attrs) != string(want.Attrs) || e.Time != b.Received || e.HasResponseTime() || e.Fate != pipeline.Keep {
			t.Errorf("event %d: %+v", i, e)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	calendar := pipeline.NewCalendar(1, func() time.Time { return now })
	p, stats := newParser(t, Options{Calendar: calendar, Retention: 365 * 24 * time.Hour, Zone: time.FixedZone("", 3600)})
	f := func(line, time string, fate pipeline.Fate, attrs string) {
		t.Helper()
		b := batchOf(line)
		p.Process(b)
		e := &b.Events[0]
		if got := formatTime(e.Time); got != time || e.Fate != fate || string(e.Attrs) != attrs {
			t.Errorf("%s: %s fate %d attrs %s, want %s %d %s", line, got, e.Fate, e.Attrs, time, fate, attrs)
		}
	}
	const read = "2026-01-20T12:00:00Z"
	f(`{"timestamp":"2026-01-20T11:00:00Z"}`, "2026-01-20T11:00:00Z", pipeline.Keep, "")
	f(`{"timestamp":"2026-01-20T11:00:00"}`, "2026-01-20T10:00:00Z", pipeline.Keep, "")
	f(`{"timestamp":1768906800.5}`, "2026-01-20T11:00:00.5Z", pipeline.Keep, "")
	f(`{"timestamp":1.7689068e9}`, "2026-01-20T11:00:00Z", pipeline.Keep, "")
	f(`{"timestamp":{"seconds":1768906800,"nanos":5000000}}`, "2026-01-20T11:00:00.005Z", pipeline.Keep, "")
	f(`{"timestamp":"2026-01-21T11:59:59Z"}`, "2026-01-21T11:59:59Z", pipeline.Keep, "")
	f(`{}`, read, pipeline.Keep, "")
	f(`{"timestamp":null,"a":1}`, read, pipeline.Keep, `{"a":1}`)
	f(`{"timestamp":""}`, read, pipeline.Keep, "")
	f(`{"timestamp":"2026-01-21T13:00:00Z","a":1}`, read, pipeline.Keep, `{"a":1,"_ts":"2026-01-21T13:00:00Z"}`)
	f(`{"timestamp":"9999-01-01T00:00:00Z"}`, read, pipeline.Keep, `{"_ts":"9999-01-01T00:00:00Z"}`)
	f(`{"timestamp":"1970-01-01T00:00:00Z"}`, read, pipeline.Keep, `{"_ts":"1970-01-01T00:00:00Z"}`)
	f(`{"timestamp":"tomorrow"}`, read, pipeline.Keep, `{"_ts":"tomorrow"}`)
	f(`{"timestamp":5}`, read, pipeline.Keep, `{"_ts":5}`)
	f(`{"timestamp":[1]}`, read, pipeline.Keep, `{"_ts":[1]}`)
	f(`{"timestamp":"junk","time":"2026-01-20T11:00:00Z"}`, "2026-01-20T11:00:00Z", pipeline.Keep, `{"timestamp":"junk"}`)
	f(`{"t":"2026-01-20T11:00:00Z"}`, "2026-01-20T11:00:00Z", pipeline.Keep, "")
	f(`{"t":0.5,"date":"soon"}`, read, pipeline.Keep, `{"t":0.5,"date":"soon"}`)
	if n := stats.Retimed.Load(); n != 6 {
		t.Errorf("%d retimed, want 6", n)
	}
	f(`{"timestamp":"2024-01-20T11:00:00Z"}`, "2024-01-20T11:00:00Z", pipeline.Drop, "")
	if n := stats.Expired.Load(); n != 1 {
		t.Errorf("%d expired, want 1", n)
	}
	f(`{"timestamp":"2026-01-10T11:00:00Z"}`, "2026-01-10T11:00:00Z", pipeline.Keep, "")
	f(`{"timestamp":"2026-01-11T11:00:00Z"}`, read, pipeline.Keep, `{"_ts":"2026-01-11T11:00:00Z"}`) // one past day only
	f(`{"timestamp":"2026-01-10T12:00:00Z"}`, "2026-01-10T12:00:00Z", pipeline.Keep, "")
	f(`{"timestamp":"2026-01-19T00:00:00Z"}`, "2026-01-19T00:00:00Z", pipeline.Keep, "")
}

func formatTime(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.999999Z")
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]Options{
		`format: "xml" is none of auto, json, logfmt, text, docker, cri`: {Format: "xml"},
		`fields: "latency" is no standard field; those`:                  {Fields: map[string][]string{"latency": {"x"}}},
		`fields: "" is no standard field; those`:                         {Fields: map[string][]string{"": {"x"}}},
		`fields: "x" is named under level and once more under message`: {
			Fields: map[string][]string{"message": {"a", "x"}, "level": {"x"}}},
	} {
		if _, err := New(o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Workers share a factory's names and a filter's rules, and nothing else.
func TestWorkersInParallel(t *testing.T) {
	t.Parallel()
	make, err := New(Options{Stats: &pipeline.Stats{}})
	if err != nil {
		t.Fatal(err)
	}
	filter, err := NewFilter(`attrs.n == 1`, `level == "ERROR" or len(message) > 3`, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	stats := &pipeline.Stats{}
	var wg sync.WaitGroup
	for range 4 {
		parser, rules := make(), filter.Processor(stats)
		wg.Go(func() {
			for i := range 200 {
				b := batchOf(seeds...)
				parser.Process(b)
				rules.Process(b)
				if len(b.Events) != len(seeds) {
					t.Errorf("batch %d: %d events of %d lines", i, len(b.Events), len(seeds))
					return
				}
			}
		})
	}
	wg.Wait()
	if n := stats.FilterErrors.Load(); n != 0 {
		t.Errorf("%d evaluations failed", n)
	}
}
