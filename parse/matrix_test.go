package parse

import (
	"strings"
	"testing"
)

// What is legal, or can be made storable, becomes a row; the rest is in TestFraming.
func TestMatrix(t *testing.T) {
	t.Parallel()
	f := func(line, attrs string, changed int64) {
		t.Helper()
		p, stats := newParser(t, Options{})
		b := batchOf(line)
		p.Process(b)
		if len(b.Events) != 1 || len(b.Dead) != 0 {
			t.Fatalf("%.80q: %s", line, outline(b))
		}
		if got := string(b.Events[0].Attrs); got != attrs {
			t.Errorf("%.80q:\n got %.200q\nwant %.200q", line, got, attrs)
		}
		if n := stats.Sanitised.Load(); n != changed {
			t.Errorf("%.80q: %d sanitised, want %d", line, n, changed)
		}
	}
	same := func(line string) { t.Helper(); f(line, line, 0) }

	f(`{"a":"x\u0000y"}`, `{"a":"x�y"}`, 1)
	f(`{"a\u0000":1}`, `{"a�":1}`, 1)
	same(`{"a":"x\\u0000y"}`)
	f(`{"a":"\ud800"}`, `{"a":"�"}`, 1)
	f(`{"a":"\udc00\ud800"}`, `{"a":"��"}`, 1)
	same(`{"a":"\ud83d\ude00"}`)
	f("{\"a\":\"\xff\xfe\"}", `{"a":"�"}`, 1)
	f("{\"a\":\"\xc0\xaf\"}", `{"a":"�"}`, 1)
	f("{\"a\":\"\xed\xa0\x80\"}", `{"a":"�"}`, 1)
	f("{\"a\":\"\xf4\x90\x80\x80\"}", `{"a":"�"}`, 1)
	same("{\"a\":\"\uffff\x7f\u0085\u2028\"}")
	f(`{"a":1e999999}`, `{"a":"1e999999"}`, 1)
	f(`{"a":1e131071}`, `{"a":"1e131071"}`, 1)
	f(`{"a":1e-16384}`, `{"a":"1e-16384"}`, 1)
	f(`{"a":`+strings.Repeat("7", 200_000)+`}`, `{"a":"`+strings.Repeat("7", 200_000)+`"}`, 1)
	same(`{"a":18446744073709551616}`)
	same(`{"a":1.0,"b":-0,"c":1E5}`)
	f(`{"a":1,"b":2,"a":3}`, `{"b":2,"a":3}`, 1)
	f(`{"user_id":1,"user_id":2}`, ``, 1)
	same(`{"":1}`)
	same(manyKeys(256))
	f(`{"`+strings.Repeat("k", 300)+`":1}`, `{"_overflow":"\"`+strings.Repeat("k", 300)+`\":1"}`, 1)
	f(`{"a":`+strings.Repeat("[", 9999)+strings.Repeat("]", 9999)+`}`,
		`{"a":`+strings.Repeat("[", 63)+`"`+strings.Repeat("[", 9936)+strings.Repeat("]", 9936)+`"`+strings.Repeat("]", 63)+`}`, 1)
	same(`{"a":"'); DROP TABLE log_events; --","b":"\\.\t\\N"}`)
	same("{\"a\":\"\\u001b[31m\\nfake\"}")
	same(`{"a": [ 1 , {"b" : 2} ] ,  "c":	true}`)
	f(` { "a" : 1 , "level" : "INFO" , "b" : 2 , "c":3 } `, `{"a" : 1,"b" : 2 , "c":3}`, 0)
	f("\uFEFF"+`{"a":1}`, `{"a":1}`, 0)
	f(`{"response_time":1e39}`, `{"response_time":1e39}`, 0)
	f(`{"response_time":1e999}`, `{"response_time":"1e999"}`, 1)
	f(`{"response_time":-5}`, `{"response_time":-5}`, 0)
	f(`{"status":70000}`, `{"status":70000}`, 0)
	f(`{"status":"ok"}`, `{"status":"ok"}`, 0)
	f(`{"client_ip":"not an address"}`, `{"client_ip":"not an address"}`, 0)
}

// A million brackets are work for a moment, not for a stack.
func TestDepthIsNoRecursion(t *testing.T) {
	t.Parallel()
	const n = 1 << 20
	for _, line := range []string{
		`{"a":` + strings.Repeat("[", n), `{"a":` + strings.Repeat(`{"a":`, n/5), `{"a":` + strings.Repeat("[{}", 1) + strings.Repeat("[", n),
		strings.Repeat("[", n) + "{", `{"a":"` + strings.Repeat(`\`, n) + `"`, `{"a":` + strings.Repeat("(", n),
	} {
		if b := parseLines(t, line); len(b.Events)+len(b.Dead) != 1 {
			t.Errorf("%.20s…: %.100s", line, outline(b))
		}
	}
	b := parseLines(t, `{"message":"m","a":`+strings.Repeat("[", n)+strings.Repeat("]", n)+`}`)
	if outline(b) != "0.0 m" {
		t.Errorf("%.100s", outline(b))
	}
}

func TestColumnsAreCut(t *testing.T) {
	t.Parallel()
	f := func(key string, length, want int) {
		t.Helper()
		for _, unit := range []string{"x", "é", "日", "😀", `\n`, `\u00e9`} {
			text := strings.Repeat(unit, length)
			e := parseOne(t, `{"`+key+`":"`+text+`","other":1}`)
			column := map[string]string{
				"service": e.Service, "logger": e.Logger, "trace_id": e.TraceID, "user_id": e.UserID, "tenant_id": e.TenantID,
				"level": e.Level, "endpoint": e.Endpoint, "message": e.Message, "exception": e.Exception,
			}[key]
			whole := strings.NewReplacer(`\n`, "\n", `\u00e9`, "é").Replace(text)
			if key == "level" {
				whole = strings.Map(func(r rune) rune {
					if r == 'x' {
						return 'X'
					}
					return r
				}, whole)
			}
			if len(column) > want || len(column) <= want-4 || !strings.HasPrefix(whole, column) || strings.ToValidUTF8(column, "") != column {
				t.Errorf("%s of %d %s: %d bytes, want at most %d, whole characters", key, length, unit, len(column), want)
			}
			if attrs := `{"` + key + `":"` + text + `","other":1}`; string(e.Attrs) != attrs {
				t.Errorf("%s of %d %s: attrs %.50s…", key, length, unit, e.Attrs)
			}
		}
	}
	f("service", 300, 200)
	f("logger", 300, 200)
	f("trace_id", 3000, 200)
	f("user_id", 300, 200)
	f("tenant_id", 300, 200)
	f("level", 300, 200)
	f("endpoint", 600, 512)
	f("message", 10_000, 8<<10)
	f("exception", 40_000, 32<<10)

	text := strings.Repeat("y", 20_000) + `"`
	e := parseOne(t, text)
	if len(e.Message) != 8<<10 || string(e.Attrs) != `{"message":"`+strings.Repeat("y", 20_000)+`\""}` {
		t.Errorf("a long line of text: message of %d bytes, attrs %.50s…", len(e.Message), e.Attrs)
	}
}
