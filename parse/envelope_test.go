package parse

import (
	"testing"
	"time"

	"logflume/pipeline"
)

// enveloped is batchOf with what came with each line.
func enveloped(line string, at int64, trace, attrs string) *pipeline.Batch {
	b := batchOf(line)
	span := func(text string) pipeline.Span {
		start := int32(len(b.Arena))
		b.Arena = append(b.Arena, text...)
		return pipeline.Span{Start: start, End: int32(len(b.Arena))}
	}
	b.Envelopes = []pipeline.Envelope{{Time: at, TraceID: span(trace), Attrs: span(attrs)}}
	return b
}

func TestEnvelopeServesWhereTheLineSaysNothing(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) int64 { return now.Add(d).UnixMicro() }
	p, stats := newParser(t, Options{Retention: 30 * 24 * time.Hour})
	for _, c := range []struct {
		name, line string
		envelope   int64
		want       int64
		trace      string
		fate       pipeline.Fate
	}{
		{"text", "a line", at(-time.Hour), at(-time.Hour), "abc", pipeline.Keep},
		{"no time", `{"msg":"x"}`, at(-time.Hour), at(-time.Hour), "abc", pipeline.Keep},
		{"own time and trace", `{"msg":"x","ts":"2026-01-20T10:00:01Z","trace_id":"own"}`, at(-time.Hour), at(-2 * time.Hour), "own", pipeline.Keep},
		{"empty trace", `{"msg":"x","trace_id":""}`, at(-time.Hour), at(-time.Hour), "abc", pipeline.Keep},
		{"time that cannot be", `{"msg":"x","ts":"1970-01-01T00:00:00Z"}`, at(-time.Hour), at(-time.Hour), "abc", pipeline.Keep},
		{"no timestamp", "a line", 0, received.UnixMicro(), "abc", pipeline.Keep},
		{"negative timestamp", "a line", -1000, received.UnixMicro(), "abc", pipeline.Keep},
		{"far future", "a line", at(48 * time.Hour), received.UnixMicro(), "abc", pipeline.Keep},
		{"expired", "a line", at(-31 * 24 * time.Hour), at(-31 * 24 * time.Hour), "abc", pipeline.Drop},
		{"expired message, own time", `{"msg":"x","ts":"2026-01-20T10:00:01Z"}`, at(-31 * 24 * time.Hour), at(-2 * time.Hour), "abc", pipeline.Keep},
	} {
		b := enveloped(c.line, c.envelope, "abc", `"kafka":{"offset":1}`)
		p.Process(b)
		if len(b.Events) != 1 {
			t.Errorf("%s: %d events, dead %v", c.name, len(b.Events), b.Dead)
			continue
		}
		e := &b.Events[0]
		if e.Time != c.want || e.TraceID != c.trace || e.Fate != c.fate || e.Extra != `"kafka":{"offset":1}` {
			t.Errorf("%s: time %v, trace %q, fate %v, extra %q", c.name, time.UnixMicro(e.Time).UTC(), e.TraceID, e.Fate, e.Extra)
		}
	}
	if n := stats.Expired.Load(); n != 1 {
		t.Errorf("%d expired", n)
	}
}
