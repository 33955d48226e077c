package parse

import "testing"

func TestLevel(t *testing.T) {
	t.Parallel()
	f := func(value, want, attrs string) {
		t.Helper()
		e := parseOne(t, `{"level":`+value+`}`)
		if e.Level != want || string(e.Attrs) != attrs {
			t.Errorf("%s: %q with attrs %s, want %q with %s", value, e.Level, e.Attrs, want, attrs)
		}
	}
	f(`"INFO"`, "INFO", "")
	f(`"info"`, "INFO", "")
	f(`"Information"`, "INFO", "")
	f(`"warning"`, "WARN", "")
	f(`"WARN"`, "WARN", "")
	f(`"err"`, "ERROR", "")
	f(`"Error"`, "ERROR", "")
	f(`"debug"`, "DEBUG", "")
	f(`"Verbose"`, "TRACE", "")
	f(`"fatal"`, "CRITICAL", "")
	f(`"crit"`, "CRITICAL", "")
	f(`"W"`, "WARN", "")
	f(`"\u0069nfo"`, "INFO", "")
	f(`"panic"`, "CRITICAL", `{"level":"panic"}`)
	f(`"emerg"`, "CRITICAL", `{"level":"emerg"}`)
	f(`"notice"`, "INFO", `{"level":"notice"}`)
	f(`"SEVERE"`, "ERROR", `{"level":"SEVERE"}`)
	f(`"INFO+2"`, "INFO", `{"level":"INFO+2"}`)
	f(`"DEBUG-4"`, "DEBUG", `{"level":"DEBUG-4"}`)
	f(`"audit"`, "AUDIT", `{"level":"audit"}`)
	f(`"AUDIT"`, "AUDIT", "")
	f(`10`, "TRACE", "")
	f(`20`, "DEBUG", "")
	f(`30`, "INFO", "")
	f(`40`, "WARN", "")
	f(`50`, "ERROR", "")
	f(`60`, "CRITICAL", "")
	f(`35`, "INFO", `{"level":35}`)
	f(`3`, "ERROR", "")
	f(`"6"`, "INFO", "")
	f(`0`, "CRITICAL", `{"level":0}`)
	f(`400`, "ERROR", "")
	f(`250`, "INFO", `{"level":250}`)
	f(`""`, "", "")
	f(`null`, "", "")
	f(`true`, "", `{"level":true}`)
	f(`70`, "", `{"level":70}`)
	f(`{"a":1}`, "", `{"level":{"a":1}}`)
}

func TestLevelInText(t *testing.T) {
	t.Parallel()
	f := func(line, want string) {
		t.Helper()
		if e := parseOne(t, line); e.Level != want || e.Message != line {
			t.Errorf("%q: level %q, message %q, want level %q", line, e.Level, e.Message, want)
		}
	}
	f("2026/01/15 08:00:00 [error] 31#31: *7 connect() failed", "ERROR")
	f("[4545] [INFO] Booting worker with pid: 4545", "INFO")
	f("WARNING: terminating connection because of crash", "WARN")
	f("ERROR something", "ERROR")
	f("2026-01-15 08:00:00,123 ERROR app.db pool is empty", "ERROR")
	f("2026-01-15 08:00:00,123 - app.db - WARNING - pool is low", "WARN")
	f("Jan 15 08:00:00 web-1 app[7]: CRITICAL: disk is full", "CRITICAL")
	f("08:00:00.123 [main] DEBUG c.e.Main - x", "DEBUG")
	f("2026-01-15 | INFO | started", "INFO")
	f("<warn> low", "WARN")
	f(`level=info msg="listening"`, "INFO")
	f(`time=x level="error" msg=y`, "ERROR")
	f("Starting application, version 1.2.3", "")
	f("Traceback (most recent call last):", "")
	f("Killed", "")
	f("  File \"/x.py\", line 5, in handler", "")
	f("GET /ERROR HTTP/1.1", "")
	f("received an HTTP request", "")
	f("there was no ERROR at all in the last run of it", "")
	f("this is the sentence that tells of an ERROR", "")
	f("I am E", "")
	f("error", "")
}
