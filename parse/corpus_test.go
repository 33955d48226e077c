package parse

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The sample corpus against a slow and simple reading of it.
func TestCorpus(t *testing.T) {
	t.Parallel()
	lines := corpus(t, 5000)
	p, stats := newParser(t, Options{})
	b := batchOf(lines...)
	p.Process(b)

	levels, dead := map[string]int{}, 0
	next := 0
	for i, line := range lines {
		var want map[string]any
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &want) != nil {
			if b.Dead[dead].Line != int32(i) {
				t.Fatalf("line %d is broken, the next dead letter is of line %d", i, b.Dead[dead].Line)
			}
			dead++
			continue
		}
		e := &b.Events[next]
		next++
		if e.Line != int32(i) {
			t.Fatalf("line %d has no event", i)
		}
		if rest, isLogfmt := strings.CutPrefix(line, `level=info msg="listening" addr=`); isLogfmt {
			if e.Message != "listening" || e.Level != "INFO" || string(e.Attrs) != `{"addr":"`+rest+`"}` {
				t.Fatalf("line %d: %s, attrs %s; want %s", i, columns(e), e.Attrs, line)
			}
			continue
		}
		if want == nil {
			if e.Message != line || e.Attrs != nil {
				t.Fatalf("line %d: message %q, attrs %q; want %q", i, e.Message, e.Attrs, line)
			}
			continue
		}
		levels[e.Level]++
		text := func(key string) string {
			switch v := want[key].(type) {
			case string:
				return v
			case float64:
				return strconv.FormatFloat(v, 'f', -1, 64)
			}
			return ""
		}
		at, err := time.Parse(time.RFC3339, text("timestamp"))
		if err != nil {
			t.Fatal(err)
		}
		attrs := map[string]any{}
		if err := json.Unmarshal(e.Attrs, &attrs); e.Attrs != nil && err != nil {
			t.Fatal(err)
		}
		rest := map[string]any{}
		if a := text("user_agent"); a != "" {
			rest["user_agent"] = a
		}
		if e.Endpoint != text("endpoint") {
			rest["endpoint"] = text("endpoint")
		}
		if e.Time != at.UnixMicro() || e.Level != strings.ToUpper(text("level")) || e.Logger != text("logger") || e.Message != text("message") ||
			e.Service != text("service") || e.Method != text("method") || float64(e.Status) != want["status"] ||
			e.ResponseTime != want["response_time"] || e.ClientIP.String() != text("client_ip") || e.UserAgent != text("user_agent") ||
			e.TraceID != text("trace_id") || e.UserID != text("user_id") || e.TenantID != text("tenant_id") || e.Exception != text("exception") ||
			!maps.Equal(attrs, rest) {
			t.Fatalf("line %d:\n%s\n%s attrs %s", i, line, columns(e), e.Attrs)
		}
	}
	if next != len(b.Events) || dead != len(b.Dead) || dead == 0 {
		t.Errorf("%d events of %d, %d dead letters of %d", next, len(b.Events), dead, len(b.Dead))
	}
	if stats.Sanitised.Load() != 0 || stats.Retimed.Load() != 0 {
		t.Errorf("%d sanitised, %d retimed of clean lines", stats.Sanitised.Load(), stats.Retimed.Load())
	}
	routes := map[string]bool{}
	for i := range b.Events {
		routes[b.Events[i].Endpoint] = true
	}
	if len(routes) > 34 { // 30 templates, text lines, and 8 hexadecimal digits that happen to be all decimal
		t.Errorf("%d routes: %v", len(routes), routes)
	}
}

// Once its buffers have grown the parser allocates nothing.
func TestNoAllocations(t *testing.T) {
	lines := corpus(t, 2000)
	lines = append(lines, "2026-01-15 08:00:01,123 ERROR app.db pool is empty", "<34>Jan 15 08:00:01 web-1 su: a", "[15/Jan/2026:08:00:01 +0000] a",
		`ts=2026-01-15T08:00:01Z level=info msg="it \x1b[31mruns" n=5`, "1999-01-15 08:00:01 a")
	p, _ := newParser(t, Options{})
	b := batchOf(lines...)
	p.Process(b)
	if n := testing.AllocsPerRun(5, func() {
		b.Events, b.Dead, b.Text = b.Events[:0], b.Dead[:0], b.Text[:0]
		p.Process(b)
	}); n != 0 {
		t.Errorf("%v allocations for %d lines", n, len(lines))
	}
}
