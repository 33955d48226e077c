package parse

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestLogfmtValues(t *testing.T) {
	t.Parallel()
	f := func(line, attrs string, changed int64) {
		t.Helper()
		p, stats := newParser(t, Options{Format: Logfmt})
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
	f(`a=x`, `{"a":"x"}`, 0)
	f("  a=x\tb=y \r", `{"a":"x","b":"y"}`, 0)
	f(`a=1 b=-0.5 c=0 d=true e=false f=null g=<nil>`, `{"a":1,"b":-0.5,"c":0,"d":true,"e":false,"f":null,"g":null}`, 0)
	f(`a=007 b=1.2.3 c=+5 d=1e5 e=. f=- g=5ms h=0x1f i=1. j=.5 k=True l=NaN`,
		`{"a":"007","b":"1.2.3","c":"+5","d":"1e5","e":".","f":"-","g":"5ms","h":"0x1f","i":"1.","j":".5","k":"True","l":"NaN"}`, 0)
	f(`a="1" b="true" c="" d=`, `{"a":"1","b":"true","c":"","d":""}`, 0)
	f(`a= b=x`, `{"a":"","b":"x"}`, 0)
	f(`a=x debug b=y trace`, `{"a":"x","debug":true,"b":"y","trace":true}`, 0)
	f(`url=/x?a=b&c=d path=C:\dir q=it's r=say"no"`, `{"url":"/x?a=b&c=d","path":"C:\\dir","q":"it's","r":"say\"no\""}`, 0)
	f(`a="say \"no\" \\ \/ \b\f\n\r\t\u00e9"`, `{"a":"say \"no\" \\ \/ \b\f\n\r\t\u00e9"}`, 0)
	f(`a="\a\v\x07\x1b\xe9\'\U0001f600\d \u12 \x5 \U0000d800"`, `{"a":"\u0007\u000b\u0007\u001b�'😀\\d \\u12 \\x5 �"}`, 1)
	f("a=\"tab\there\" b=caf\u00e9 \u00e9=1", `{"a":"tab\u0009here","b":"café","é":1}`, 0)
	f(`a="x=y z" b=[1,2] c={"d":1}`, `{"a":"x=y z","b":"[1,2]","c":"{\"d\":1}"}`, 0)
	f(`a="\u0000\ud800" b=x`, `{"a":"��","b":"x"}`, 1)
	f(`a="\x00"`, `{"a":"�"}`, 1)
	f("a=caf\xe9 b=cr\xe8me and much more of the same text", `{"a":"caf�","b":"cr�me","and":true,"much":true,"more":true,"of":true,"the":true,"same":true,"text":true}`, 1)
	f(`a=`+strings.Repeat("7", 65), `{"a":"`+strings.Repeat("7", 65)+`"}`, 0)
	f(`a=1 b=2 a=3`, `{"b":2,"a":3}`, 1)
	f(`a\b=1 c"=2`, `{"a\\b":1,"c\"":2}`, 0)
	f(`{a}=1`, `{"{a}":1}`, 0)
	f(strings.Repeat("k", 300)+`=1`, `{"_overflow":"\"`+strings.Repeat("k", 300)+`\":1"}`, 1)
}

// What is no logfmt is a dead letter under its format, and text otherwise.
func TestLogfmtFraming(t *testing.T) {
	t.Parallel()
	f := func(format Format, line, want string) {
		t.Helper()
		p, _ := newParser(t, Options{Format: format})
		b := batchOf(line)
		p.Process(b)
		if got := outline(b); got != want {
			t.Errorf("%s %.60q: %s, want %s", format, line, got, want)
		}
	}
	taken := func(line, message string) {
		t.Helper()
		f(Logfmt, line, "0.0 "+message)
		f(Auto, line, "0.0 "+message)
		f(Text, line, "0.0 "+strings.TrimSuffix(line, "\r"))
	}
	taken(`level=info msg="it runs"`, "it runs")
	taken(`ts=2026-01-15T08:00:01Z caller=main.go:7 level=warn msg=low`, "low")
	taken(`t=2026-01-15T08:00:01+0000 lvl=eror msg=low`, "low")
	taken(`time="2026-01-15T08:00:01Z" user=7`, "")
	taken(`msg="a" err=<nil>`, "a")
	taken(`a.b/c-d_e=1 message=x`, "x")
	taken(`n=1 error="it broke" msg=x`, "x")
	taken("level=info\tmsg=x\r", "x")

	dead := func(line, reason string) {
		t.Helper()
		f(Logfmt, line, "0 dead: "+reason)
		f(Auto, line, "0.0 "+line)
	}
	dead(`hello`, badPair)
	dead(`hello a=b level=info`, badPair)
	dead(`level info`, badPair)
	dead(`=x level=info`, badPair)
	dead(`level=info =x`, badPair)
	dead(`level=info "x"=1`, badPair)
	dead(`"level"=info msg=x`, badPair)
	dead(`level=info msg="it runs`, badQuote)
	dead(`level=info msg="it runs\"`, badQuote)
	dead(`level=info msg="it runs\`, badQuote)
	dead(`level=info msg="it"runs`, badQuote)
	dead(`level=info msg="it"k=v`, badQuote)
	dead(`[main] level=info msg=x`, badPair)
	dead(`2026-01-15 08:00:01 level=info msg=x`, badPair)
	f(Logfmt, `{"level":"info","msg":"x"}`, "0 dead: "+badPair)
	f(Logfmt, `[{"level":"info"}]`, "0 dead: "+badPair)
	f(Logfmt, "a=b\x00", "0 dead: "+badText)
	f(Auto, "level=info msg=b\x00", "0 dead: "+badText)
	f(Logfmt, "\uFEFFmsg=x", "0.0 x")
	f(Logfmt, " \t", "")

	// Words between the pairs, one pair alone, or no key that a logger has: that may be anything.
	for _, line := range []string{
		`user=alice logged in`, `level=info`, `msg="a"`, `retry in 5 with timeout=3s level=info`, `a=b c=d`, `x=1 y=2 z=3`, `level=info msg=x done`,
		`http://x/?level=info msg=x`, `(level=info msg=x)`, `-level=info -msg=x`, `--level=info --msg=x`, `PATH=/bin HOME=/root`, `1=2 level=info`,
		`name=x date=y channel=z`, `level=info, msg=x now`, `level = info msg = x`, `level==`,
	} {
		f(Auto, line, "0.0 "+line)
	}
	f(Docker, `{"log":"level=info msg=x\n","stream":"stdout","time":"2026-01-20T11:59:58Z"}`, "0.0 x")
	f(CRI, `2026-01-20T11:59:58Z stdout F level=info msg=x`, "0.0 x")
	f(Logfmt, `2026-01-20T11:59:58Z stdout F level=info msg=x`, "0 dead: "+badPair)
}

// What was rewritten for a reading as logfmt that then failed is in no event.
func TestTextThatBeginsLikeLogfmt(t *testing.T) {
	t.Parallel()
	p, stats := newParser(t, Options{})
	line := `level=info msg="\xff" and then words`
	b := batchOf(line)
	p.Process(b)
	if e := &b.Events[0]; e.Message != line || e.Attrs != nil || e.Level != "INFO" || stats.Sanitised.Load() != 0 {
		t.Errorf("%s, attrs %s, %d sanitised", columns(e), e.Attrs, stats.Sanitised.Load())
	}
}

// The keys lead to the same fields as those of JSON.
func TestLogfmtFields(t *testing.T) {
	t.Parallel()
	line := `ts=2026-01-15T08:00:01.5Z level=warn service=shop logger=http.server trace_id=4bf92f3577b34da6a3ce929d0e0e4736 method=GET path=/users/123?x=1 ` +
		`status=503 duration=1.5ms client_ip=192.0.2.1 user_id=42 tenant_id=acme user_agent="curl/8.5.0" err="it broke" msg="request ended" n=7`
	e := parseOne(t, line)
	want := `{"path":"/users/123?x=1","duration":"1.5ms","user_agent":"curl/8.5.0","n":7}`
	if formatTime(e.Time) != "2026-01-15T08:00:01.5Z" || e.Level != "WARN" || e.Service != "shop" || e.Logger != "http.server" || e.Method != "GET" ||
		e.TraceID != "4bf92f3577b34da6a3ce929d0e0e4736" || e.Endpoint != "/users/{n}" || e.Status != 503 || e.ResponseTime != 1.5 || e.Message != "request ended" ||
		e.ClientIP.String() != "192.0.2.1" || e.UserID != "42" || e.TenantID != "acme" || e.UserAgent != "curl/8.5.0" || e.Exception != "it broke" {
		t.Errorf("%s", columns(e))
	}
	if string(e.Attrs) != want {
		t.Errorf("attrs %s, want %s", e.Attrs, want)
	}

	e = parseOne(t, `request_time=0.25 elapsed_ms=7 level=30 msg=x err=<nil>`)
	if e.ResponseTime != 7 || e.Level != "INFO" || e.Exception != "" {
		t.Errorf("%s", columns(e))
	}
	p, _ := newParser(t, Options{Fields: map[string][]string{"message": {"what"}}, Zone: time.FixedZone("", 3600)})
	b := batchOf(`time="2026-01-15 09:00:01" what="configured"`)
	p.Process(b)
	if e := &b.Events[0]; e.Message != "configured" || formatTime(e.Time) != "2026-01-15T08:00:01Z" {
		t.Errorf("%s", columns(e))
	}
}

// As with JSON the line's own time holds, also in a container.
func TestLogfmtTimes(t *testing.T) {
	t.Parallel()
	f := func(line, want, attrs string) {
		t.Helper()
		e := parseOne(t, line)
		if formatTime(e.Time) != want || string(e.Attrs) != attrs {
			t.Errorf("%s: %s, attrs %s", line, formatTime(e.Time), e.Attrs)
		}
	}
	f(`level=info msg=x ts=1768464001.5`, "2026-01-15T08:00:01.5Z", "")
	f(`level=info msg=x ts=1999-01-01T00:00:00Z`, "2026-01-20T12:00:00Z", `{"_ts":"1999-01-01T00:00:00Z"}`)
	f(`2026-01-20T11:59:58Z stdout F level=info msg=x ts=2026-01-15T08:00:01Z`, "2026-01-15T08:00:01Z", `{"stream":"stdout"}`)
	f(`2026-01-20T11:59:58Z stdout F level=info msg=x`, "2026-01-20T11:59:58Z", `{"stream":"stdout"}`)
	f("level=info msg=x at", "2026-01-20T12:00:00Z", "")
}

// A trace that follows a line of logfmt is its exception.
func TestLogfmtWithTrace(t *testing.T) {
	t.Parallel()
	f := func(want string, lines ...string) {
		t.Helper()
		e := parseFrom(t, Options{}, "", lines...).Events[0]
		if got := fmt.Sprintf("%s|%s|%s|%s", e.Level, e.Message, e.Exception, e.Attrs); got != want {
			t.Errorf("%q: %q, want %q", lines, got, want)
		}
	}
	f("ERROR|boom|a.BError: x\n\tat c.D(e:1)|"+`{"n":1}`, "level=error msg=boom n=1", "+a.BError: x", "+\tat c.D(e:1)")
}

// The same pairs as logfmt and as JSON make the same event.
func FuzzLogfmt(f *testing.F) {
	f.Add("level", "error", "msg", "it broke: \"x\" \\ \n", "n", "5", uint8(0))
	f.Add("ts", "2026-01-15T08:00:01Z", "message", "日本 \x1b[31m\u0085\u2028", "status", "503", uint8(255))
	f.Add("err", "", "duration", "1.5ms", "path", "/users/1", uint8(3))
	p, _ := newParser(f, Options{Format: Logfmt})
	q, _ := newParser(f, Options{Format: JSON})
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2, k3, v3 string, quoted uint8) {
		line, object := "", "{"
		for i, pair := range [...][2]string{{k1, v1}, {k2, v2}, {k3, v3}} {
			key, value := pair[0], strings.ToValidUTF8(pair[1], "\uFFFD")
			if key == "" || len(key) > 200 || key[0] == '"' || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r == '=' }) || strings.ToValidUTF8(key, "") != key || strings.HasPrefix(key, "\uFEFF") ||
				strings.ContainsRune(value, 0) {
				t.Skip("not what a logger writes")
			}
			name, _ := json.Marshal(key)
			text, _ := json.Marshal(value)
			written := strconv.Quote(value)
			if plain := value != "" && value[0] != '"' && !strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' }); plain && quoted&(1<<i) == 0 {
				written = value
				var number json.Number
				switch {
				case value == "null" || value == "<nil>":
					text = []byte("null")
				case value == "true" || value == "false", json.Unmarshal([]byte(value), &number) == nil && value[0] != '"' && len(value) <= maxDigits && !strings.ContainsAny(value, "eE"):
					text = []byte(value)
				}
			}
			line += " " + key + "=" + written
			object += string(name) + ":" + string(text) + ","
		}
		a, b := batchOf(line), batchOf(strings.TrimSuffix(object, ",")+"}")
		p.Process(a)
		q.Process(b)
		if len(a.Events) != 1 || len(b.Events) != 1 {
			t.Fatalf("%q: %s; %q: %s", line, outline(a), b.Arena, outline(b))
		}
		got, want := &a.Events[0], &b.Events[0]
		if columns(got) != columns(want) || got.Time != want.Time || !sameJSON(t, got.Attrs, want.Attrs) {
			t.Errorf("%q\n%s %s\n%s %s", line, columns(got), got.Attrs, columns(want), want.Attrs)
		}
	})
}

// sameJSON compares attrs, whose strings may be escaped in different ways.
func sameJSON(tb testing.TB, a, b []byte) bool {
	tb.Helper()
	var texts [2]string
	for i, attrs := range [][]byte{a, b} {
		if attrs == nil {
			continue
		}
		var v map[string]any
		decoder := json.NewDecoder(strings.NewReader(string(attrs)))
		decoder.UseNumber()
		if err := decoder.Decode(&v); err != nil {
			tb.Errorf("%q: %v", attrs, err)
		}
		text, _ := json.Marshal(v)
		texts[i] = string(text)
	}
	return texts[0] == texts[1]
}

// Whatever the bytes are, the line is an event with storable attrs, or a dead letter.
func FuzzLogfmtText(f *testing.F) {
	for _, line := range []string{`level=info msg="a b" n=5`, `a="\x1b\u00e9\U0001f600\d"`, `a=1 a=2 b`, `a="`, `=`, "a=\xff\x00", `a=<nil> b=null c=-0`} {
		f.Add(line)
	}
	p, _ := newParser(f, Options{Format: Logfmt})
	f.Fuzz(func(t *testing.T, line string) {
		b := batchOf(line)
		p.Process(b)
		if l := b.Ledger(); l.Kept+l.Filtered+l.Dead != 1 {
			t.Fatalf("%q: %+v", line, l)
		}
		for i := range b.Events {
			e := &b.Events[i]
			if strings.ToValidUTF8(e.Message, "") != e.Message || strings.ContainsRune(e.Message, 0) {
				t.Errorf("%q: message %q", line, e.Message)
			}
			if e.Attrs == nil {
				continue
			}
			if _, reason := scanAll(string(e.Attrs)); reason != "" {
				t.Errorf("%q: attrs %q: %s", line, e.Attrs, reason)
			}
		}
	})
}
