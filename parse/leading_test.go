package parse

import (
	"strings"
	"testing"
	"time"

	"logflume/pipeline"
)

// The lines are read on 2026-01-20 at 12:00; "" is a line that keeps that time.
func TestTimeOfTextLine(t *testing.T) {
	t.Parallel()
	f := func(line, want string) {
		t.Helper()
		e := parseOne(t, line)
		if want == "" {
			want = "2026-01-20T12:00:00Z"
		}
		if got := formatTime(e.Time); got != want || e.Message != line || e.Attrs != nil {
			t.Errorf("%q: %s, message %q, attrs %s; want %s", line, got, e.Message, e.Attrs, want)
		}
	}
	const plain, fine = "2026-01-15T08:00:01Z", "2026-01-15T08:00:01.123Z"
	f("2026-01-15 08:00:01,123 ERROR app.db pool is empty", fine)
	f("2026-01-15 08:00:01.123 ERROR app.db pool is empty", fine)
	f("2026-01-15T08:00:01.123Z listening", fine)
	f("2026-01-15T09:30:01.123+01:30 listening", fine)
	f("2026-01-15T09:30:01.123+0130 listening", fine)
	f("2026-01-15T05:00:01.123-03 listening", fine)
	f("2026-01-15T09:00:01+01:00[Europe/Paris] a", plain)
	f("2026-01-15 08:00:01.123 UTC [77] LOG:  checkpoint", fine)
	f("2026-01-15 10:00:01.123 +0200 a", fine)
	f("2026-01-15 10:00:01 +0200 a", plain)
	f("2026-01-15 10:00:01 +02 apples", "2026-01-15T10:00:01Z")
	f("2026-01-15 08:00:01 -12 degrees", plain)
	f("2026-01-15 08:00:01 - app.db - WARNING - low", plain)
	f("2026-01-15 08:00:01", plain)
	f("2026-01-15 08:00", "2026-01-15T08:00:00Z")
	f("2026-01-15 08:00:01, then a comma", plain)
	f("2026-01-15 08:00:01: then a colon", plain)
	f("2026-01-15 08:00:01|INFO|a", plain)
	f("2026-01-15T08:00:01.123Z\tINFO\tmain\tzap's console", fine)
	f("  2026-01-15 08:00:01 indented", plain)
	f("[2026-01-15 08:00:01] production.ERROR: Laravel", plain)
	f("[2026-01-15 08:00:01 +0000] [4545] [INFO] gunicorn", plain)
	f("[2026-01-15T08:00:01Z INFO  crate] env_logger", plain)
	f("(2026-01-15 08:00:01) a", plain)
	f("2026/01/15 08:00:01 [error] 31#31: *7 connect() failed", plain)
	f("2026/01/15 08:00:01.123000 main.go:7: Go's log", fine)
	f("\x1b[90m2026-01-15T08:00:01.123Z\x1b[0m \x1b[32mINF\x1b[0m coloured", fine)

	f("[ERROR] 2026-01-15 08:00:01 a", plain)
	f("ERROR 2026-01-15 08:00:01 a", plain)
	f("error: 2026-01-15 08:00:01 a", plain)
	f("ERROR | 2026-01-15 08:00:01 | a", plain)
	f("[main] [WARN] 2026-01-15 08:00:01 a", plain)
	f("[INFO][2026-01-15T08:00:01.123Z] a", fine)
	f("[4545] 2026-01-15 08:00:01 a", plain)
	f("INFO  [2026-01-15 08:00:01,123] dropwizard", fine)
	f("1:M 15 Jan 2026 08:00:01.123 * Ready to accept connections", fine)

	f(`192.0.2.1 - - [15/Jan/2026:10:00:01 +0200] "GET / HTTP/1.1" 200 5`, plain)
	f(`shop.example:443 2001:db8::1 - alice [15/Jan/2026:08:00:01 +0000] "GET / HTTP/1.1" 200 5`, plain)
	f(`198.51.100.7:33317 [15/Jan/2026:08:00:01.123] http-in web/1 0/0/1 200`, fine)
	f("[Thu Jan 15 08:00:01.123000 2026] [core:error] [pid 7] AH00126", fine)
	f("Thu Jan  5 08:00:01 UTC 2026 backup", "2026-01-05T08:00:01Z")
	f("Thu, 15 Jan 2026 08:00:01 GMT a", plain)
	f("15-Jan-2026 08:00:01.123 INFO [main] Tomcat", fine)
	f("[15-Jan-2026 08:00:01 UTC] PHP Warning: a", plain)
	f("15 Jan 2026 08:00:01,123 a", fine)

	f("Jan 15 08:00:01 web-1 app[7]: a", plain)
	f("Jan  5 08:00:01 web-1 app[7]: a", "2026-01-05T08:00:01Z")
	f("<34>Jan 15 08:00:01 web-1 su: 'su root' failed", plain)
	f("Jan 15 2026 08:00:01: %ASA-6-302013: a", plain)
	f("<34>1 2026-01-15T08:00:01.123Z web-1 app - ID47 - a", fine)
	f("<165>1 2026-01-15T10:00:01.123456+02:00 web-1 app 7 - [x y=\"z\"] a", "2026-01-15T08:00:01.123456Z")
	f("Dec 31 23:59:59 web-1 last year", "2025-12-31T23:59:59Z")
	f("Jan 21 11:59:59 web-1 a clock that is ahead", "2026-01-21T11:59:59Z")
	f("Jan 21 12:00:01 web-1 more than a day ahead", "2025-01-21T12:00:01Z")
	f("Feb 29 08:00:01 web-1 the last leap year", "2024-02-29T08:00:01Z")

	f("E0115 08:00:01.123000    7 main.go:5] klog", fine)
	f("I20260115 08:00:01.123000 7 main.cc:5] glog", fine)

	for _, none := range []string{
		"listening", "5 apples", "2026", "2026-01-15", "2026-01-15T", "08:00:01 a", "2026-13-15 08:00:01 a", "2026-02-30 08:00:01 a",
		"2026-01-15 24:00:01 a", "2026-01-15 08:61:01 a", "2026-01-15T08:00:01abc", "2026-01-15 08:00:01 PM a", "2026-01-15 08:00:01-25:00 a",
		"2026-01-15 08:00:01.123.4 a", "2026-01-15 08:00:01-7", "2026-01/15 08:00:01 a", "v2026-01-15 08:00:01 a", "12026-01-15 08:00:01 a",
		"01/02/2026 08:00:00 a", "15.01.2026 08:00:00 a", "1768464001 a", "1768464001123 a", "[ 1768.464001] usb 1-1: dmesg",
		"the backup of 2026-01-15 08:00:01 is done", "restored to 2026-01-15 08:00:01", "Jan", "Jan 15", "Jan 32 08:00:01 a", "Feb 30 08:00:01 a",
		"Jan 15 25:00:01 a", "Jan 15th 08:00:01", "January 15 08:00:01", "Mayor 15 08:00:01", "Thursday Jan 15 08:00:01", "Jan 15, 2026 8:00:01 AM a",
		"E0115 08:00:01 no fraction", "X0115 08:00:01.123000 a", "E1315 08:00:01.123000 a", "<34", "<34>", "<34>1 - web-1 app - - - a", "[", "[[[[", "[a", "(", "<",
		"\x1b[", "\x1b", "-", "|", strings.Repeat("[x] ", 40) + "2026-01-15 08:00:01", strings.Repeat(" ", 200) + "2026-01-15 08:00:01",
		strings.Repeat("x", 200) + "[15/Jan/2026:08:00:01 +0000]", "[WARN]\n2026-01-15 08:00:01", "[WARN\n] 2026-01-15 08:00:01", `192.0.2.1 - - [99/Jan/2026:10:00:01 +0200] "GET /"`,
	} {
		f(none, "")
	}
}

func TestTimeOfTextLineInZone(t *testing.T) {
	t.Parallel()
	p, _ := newParser(t, Options{Zone: time.FixedZone("", 9*3600)})
	f := func(line, want string) {
		t.Helper()
		b := batchOf(line)
		p.Process(b)
		if got := formatTime(b.Events[0].Time); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	f("2026-01-15 09:00:01,250 ERROR a", "2026-01-15T00:00:01.25Z")
	f("2026-01-15T09:00:01Z a", "2026-01-15T09:00:01Z")
	f("Jan 15 09:00:01 web-1 a", "2026-01-15T00:00:01Z")
	f("E0115 09:00:01.250000 7 a.go:5] a", "2026-01-15T00:00:01.25Z")
	f("Jan 21 20:59:59 web-1 within a day", "2026-01-21T11:59:59Z")
	f("Jan 21 21:00:01 web-1 more than a day ahead", "2025-01-21T12:00:01Z")
	f("2026/01/15 09:00:01 [error] a", "2026-01-15T00:00:01Z")
}

// A text line's time holds where that of JSON would.
func TestTimeOfTextLineIsBounded(t *testing.T) {
	t.Parallel()
	calendar := pipeline.NewCalendar(1, func() time.Time { return now })
	p, stats := newParser(t, Options{Calendar: calendar, Retention: 365 * 24 * time.Hour})
	f := func(line, time string, fate pipeline.Fate, attrs string) {
		t.Helper()
		b := batchOf(line)
		p.Process(b)
		e := &b.Events[0]
		if got := formatTime(e.Time); got != time || e.Fate != fate || string(e.Attrs) != attrs || e.Message != line {
			t.Errorf("%s: %s fate %d attrs %s, want %s %d %s", line, got, e.Fate, e.Attrs, time, fate, attrs)
		}
	}
	const read = "2026-01-20T12:00:00Z"
	f("2026-01-21 11:59:59 a", "2026-01-21T11:59:59Z", pipeline.Keep, "")
	f("2026-01-21 13:00:00 a", read, pipeline.Keep, `{"_ts":"2026-01-21 13:00:00"}`)
	f("[1970-01-01T00:00:00Z] a", read, pipeline.Keep, `{"_ts":"1970-01-01T00:00:00Z"}`)
	if n := stats.Retimed.Load(); n != 2 {
		t.Errorf("%d retimed, want 2", n)
	}
	f("2024-01-20 11:00:00 a", "2024-01-20T11:00:00Z", pipeline.Drop, "")
	if n := stats.Expired.Load(); n != 1 {
		t.Errorf("%d expired, want 1", n)
	}
	f("2026-01-10 11:00:00 a", "2026-01-10T11:00:00Z", pipeline.Keep, "")
	f("2026-01-11 11:00:00 a", read, pipeline.Keep, `{"_ts":"2026-01-11 11:00:00"}`) // one past day only
}

// What a runtime says is when the line was written, with its zone. What Kafka says is when the message was sent.
func TestTimeOfTextLineWithinAnother(t *testing.T) {
	t.Parallel()
	f := func(b *pipeline.Batch, want string) {
		t.Helper()
		if got := formatTime(b.Events[0].Time); got != want {
			t.Errorf("%s: %s, want %s", b.Arena, got, want)
		}
	}
	f(parseLines(t, "2026-01-20T11:59:58Z stdout F 2026-01-20 13:59:58 a"), "2026-01-20T11:59:58Z")
	f(parseLines(t, `{"log":"2026-01-20 13:59:58 a\n","stream":"stdout","time":"2026-01-20T11:59:58Z"}`), "2026-01-20T11:59:58Z")
	sent := func(line string, at time.Time) *pipeline.Batch {
		p, _ := newParser(t, Options{})
		b := batchOf(line)
		b.Envelopes = []pipeline.Envelope{{Time: at.UnixMicro()}}
		p.Process(b)
		return b
	}
	lastYear := time.Date(2024, 12, 31, 23, 59, 59, 0, time.UTC)
	f(sent("2026-01-15 08:00:01 a", lastYear), "2026-01-15T08:00:01Z")
	f(sent("a", lastYear), "2024-12-31T23:59:59Z")
	f(sent("Dec 30 08:00:01 web-1 a", lastYear), "2024-12-30T08:00:01Z")
	f(sent("Jan  1 00:00:01 web-1 a", lastYear), "2025-01-01T00:00:01Z")
}

// The stamp is looked for where the line that was logged is, not in the trace that follows it.
func TestTimeOfJoinedLines(t *testing.T) {
	t.Parallel()
	b := parseFrom(t, Options{}, "", "2026-01-15 08:00:01 ERROR boom", "+java.lang.Error: x", "+\tat a.B.c(D.java:1)")
	if e := b.Events[0]; formatTime(e.Time) != "2026-01-15T08:00:01Z" || e.Exception == "" {
		t.Errorf("%s %q", formatTime(e.Time), e.Exception)
	}
	b = parseFrom(t, Options{}, "", "[WARN]", "+2026-01-15 08:00:01 ERROR boom")
	if e := b.Events[0]; e.Time != b.Received {
		t.Errorf("%s", formatTime(e.Time))
	}
}

// Dates without a year against trying every year.
func TestYearOfStamp(t *testing.T) {
	t.Parallel()
	for at := time.Date(2023, 12, 1, 6, 0, 0, 0, time.UTC); at.Year() < 2029; at = at.Add(97 * time.Hour) {
		for d := -700; d < 700; d += 13 {
			stamp := at.AddDate(0, 0, d)
			text := stamp.Format("Jan _2 15:04:05")
			var want time.Time
			for year := at.Year() - 8; year <= at.Year()+1; year++ {
				y := time.Date(year, stamp.Month(), stamp.Day(), at.Hour(), 0, 0, 0, time.UTC)
				if y.Day() == stamp.Day() && !y.After(at.Add(24*time.Hour)) {
					want = y
				}
			}
			st, ok := stampAt(text, 0)
			if got, holds := st.micros(nil, at.UnixMicro()); !ok || !holds || got != want.UnixMicro() {
				t.Fatalf("%s, read at %s: %s, want %s", text, at, formatTime(got), want)
			}
		}
	}
}

// A stamp that the parser of whole texts takes too means the same there.
func FuzzLeadingTime(f *testing.F) {
	for _, line := range []string{
		"2026-01-15 08:00:01,123 ERROR a", "[2026-01-15T08:00:01Z] a", "15/Jan/2026:08:00:01 +0000", "Thu Jan  5 08:00:01 UTC 2026", "<34>1 2026-01-15T08:00:01.5+01:00 a",
		"Jan 15 08:00:01 a", "E0115 08:00:01.123000 7 a", "[a] WARN: (2026/01/15 08:00) x", "\x1b[1m2026-01-15 08:00:01", "1:M 15 Jan 2026 08:00:01.123 * a",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		st, ok := leadingStamp(line)
		if !ok {
			return
		}
		if st.start < 0 || st.end > len(line) || st.start >= st.end || st.start > stampWithin {
			t.Fatalf("%q: stamp at %d to %d", line, st.start, st.end)
		}
		text := line[st.start:st.end]
		if strings.ContainsAny(text, "\"\\\n\t\x00\x7f") || strings.ToValidUTF8(text, "") != text {
			t.Fatalf("%q: stamp %q cannot stand in JSON", line, text)
		}
		got, holds := st.micros(nil, received.UnixMicro())
		if want, ok := parseTime(text, nil); ok && st.year != 0 && (!holds || got != want) {
			t.Errorf("%q: %s, want %s", line, formatTime(got), formatTime(want))
		}
	})
}
