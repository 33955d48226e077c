package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// load reads text as a configuration file in an environment of its own.
func load(t *testing.T, text string, environ ...string) (*configFile, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "logflume.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return loadConfig(path, environ)
}

func TestConfigRefuses(t *testing.T) {
	t.Parallel()
	type kase struct {
		name, text, environ string
		want                []string // in the message, in this order
	}
	cases := []kase{
		{"unknown key", "flush:\n  intervall: 1s\n", "", []string{":2:3: flush.intervall: no such key", "interval?", "2 |   intervall: 1s", "    |   ^"}},
		{"unknown top key", "fluss: {}\n", "", []string{":1:1: fluss:", "did you mean flush?"}},
		{"unknown key, nothing close", "flush: {zzzzzzzz: 1}\n", "", []string{"known here: rows, interval"}},
		{"unknown source key", "sources:\n  - file: {path: /a}\n", "", []string{":2:12: sources[0].file.path:", "did you mean paths?"}},
		{"two unknown keys", "a: 1\nb: 2\n", "", []string{":1:1: a:", ":2:1: b:"}},
		{"duplicate key", "service: a\nservice: b\n", "", []string{":2:1:", "service"}},
		{"broken yaml", "flush: [\n", "", []string{"logflume.yaml:1:"}},
		{"list instead of mapping", "flush: [1]\n", "", []string{":1:8: flush:", "mapping"}},
		{"text instead of list", "sources: [{file: {paths: /a}}]\n", "", []string{":1:26: sources[0].file.paths: needs a list"}},
		{"text instead of number", "flush: {rows: many}\n", "", []string{":1:15: flush.rows: \"many\": needs a whole number"}},
		{"text instead of bool", "enrich: {hostname: perhaps}\n", "", []string{":1:20: enrich.hostname: needs true or false"}},
		{"fraction instead of whole", "flush: {rows: 1.5}\n", "", []string{`:1:15: flush.rows: "1.5": needs a whole number`}},
		{"bad duration", "flush:\n  interval: 1 parsec\n", "", []string{`:2:13: flush.interval: "1 parsec" is no duration`, "500ms"}},
		{"duration without unit", "flush: {interval: 30}\n", "", []string{`"30" is no duration`}},
		{"negative duration", "flush: {interval: -1s}\n", "", []string{"not between 0 and 100 years"}},
		{"endless duration", "database: {retention: 99999999d}\n", "", []string{"not between 0 and 100 years"}},
		{"interval out of range", "flush: {interval: 5m}\n", "", []string{":1:19: flush.interval: 5m is not from 10ms to 1m"}},
		{"bad size", "limits: {memory: 64MB}\n", "", []string{`:1:18: limits.memory: "64MB" is no size`, "64MiB"}},
		{"huge size", "limits: {memory: 9999999GiB}\n", "", []string{"more than can be had"}},
		{"line against memory", "limits: {memory: 16MiB, line: 8MiB}\n", "", []string{":1:31: limits.line: 8MiB is more than a quarter of limits.memory (16MiB)"}},
		{"no rows", "flush: {rows: 0}\n", "", []string{"flush.rows: 0 is not from 1"}},
		{"bad window", "analyze: {window: 7s}\n", "", []string{"analyze.window: 7s does not divide an hour"}},
		{"window of an hour", "analyze: {window: 1h}\n", "", []string{"analyze.window: 1h does not divide an hour"}},
		{"no window", "analyze: {window: 0s}\n", "", []string{"analyze.window: 0s does not divide an hour"}},
		{"bad share", "filter: {sample: 1.5}\n", "", []string{"filter.sample: 1.5 is no share"}},
		{"bad schema", "database: {schema: 'logs; drop'}\n", "", []string{"database.schema:", "no schema name"}},
		{"windows kept shorter", "database: {retention: 30d, retention_windows: 7d}\n", "", []string{"database.retention_windows: 7d is shorter than database.retention"}},
		{"windows alone", "database: {retention_windows: 7d}\n", "", []string{"database.retention_windows: has no meaning without database.retention"}},
		{"short retention", "database: {retention: 5m}\n", "", []string{"database.retention: 5m is too short"}},
		{"bad glob", "sources:\n  - file:\n      paths:\n        - /var/log/[a\n", "", []string{`:4:11: sources[0].file.paths[0]: "/var/log/[a" is no glob`}},
		{"bad exclude", "sources: [{file: {paths: [/a], exclude: ['/{b']}}]\n", "", []string{"sources[0].file.exclude[0]:", "is no glob"}},
		{"relative glob", "sources: [{file: {paths: ['*.log']}}]\n", "", []string{"is not absolute"}},
		{"relative exclude", "sources: [{file: {paths: [/a], exclude: ['old/*.log']}}]\n", "", []string{"exclude[0]:", "is not absolute"}},
		{"no paths", "sources: [{file: {}}]\n", "", []string{"sources[0].file.paths: is empty"}},
		{"no kind", "sources: [{}]\n", "", []string{"sources[0]: names no kind of source"}},
		{"bad start", "sources: [{file: {paths: [/a], start_at: middle}}]\n", "", []string{`"middle" is neither beginning nor end`}},
		{"listener without an address", "telemetry: {listen: ':9464'}\n", "", []string{`:1:21: telemetry.listen: ":9464" names no address: write 127.0.0.1:9464`, "0.0.0.0:9464"}},
		{"listener on a name", "telemetry: {listen: 'db.example.com:9464'}\n", "", []string{"names no address"}},
		{"no port", "telemetry: {listen: localhost}\n", "", []string{"is no address"}},
		{"geoip", "enrich: {geoip: ''}\n", "", []string{"enrich.geoip: GeoIP lookup is not available in this version"}},
		{"otlp", "telemetry: {otlp_endpoint: x}\n", "", []string{"telemetry.otlp_endpoint: export over OTLP is not available"}},
		{"otlp by environment", "", "LOGFLUME_TELEMETRY_OTLP_ENDPOINT=x", []string{"environment variable LOGFLUME_TELEMETRY_OTLP_ENDPOINT: export over OTLP"}},
		{"unset variable", "database:\n  url: ${NO_SUCH}\n", "", []string{":2:8: database.url: environment variable NO_SUCH is not set"}},
		{"bad url", "database: {url: 'postgres://u:hunter2@host:port/db'}\n", "", []string{"database.url: is no usable database URL"}},
		{"two documents", "service: a\n---\nservice: b\n", "", []string{"one YAML document"}},
		{"bad by environment", "", "LOGFLUME_FLUSH_ROWS=x", []string{`environment variable LOGFLUME_FLUSH_ROWS: flush.rows: "x": needs a whole number`}},
		{"out of range by environment", "flush: {rows: 7}", "LOGFLUME_FLUSH_ROWS=0", []string{"environment variable LOGFLUME_FLUSH_ROWS: flush.rows: 0 is not from 1"}},
		{"unknown variable", "", "LOGFLUME_FLUSH_ROW=1", []string{"LOGFLUME_FLUSH_ROW: sets no key: did you mean LOGFLUME_FLUSH_ROWS?"}},
		{"unknown variable, nothing close", "", "LOGFLUME_ABRACADABRA=1", []string{"docs/configuration.md"}},
		{"map by environment", "", "LOGFLUME_PARSE_FIELDS=a", []string{"parse.fields: cannot be set by the environment"}},
		{"sources by environment", "", "LOGFLUME_SOURCES=a", []string{"sources: cannot be set by the environment"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, c.text, c.environ)
			var wrong configError
			if !errors.As(err, &wrong) {
				t.Fatalf("got %v, want a configError", err)
			}
			rest := err.Error()
			for _, w := range c.want {
				_, after, found := strings.Cut(rest, w)
				if !found {
					t.Fatalf("%q is not in, or not in this order:\n%s", w, err)
				}
				rest = after
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Fatalf("password in message:\n%s", err)
			}
		})
	}
}

func TestConfigAccepts(t *testing.T) {
	t.Parallel()
	text := `
service: checkout
database: {url: "${LOG_URL}", retention: 30d}
sources:
  - file: {paths: ["/var/log/app/**/*.log", '/x/{a,b}.json'], exclude: ['*.gz', /x/b.json], start_at: end}
  - file:
      paths: [/srv/y.log]
filter: {keep: 'level == "ERROR" or message == "$${x}"', sample: 0.01}
flush:          # all commented out
  # rows: 1
limits: {memory: 128MiB}
enrich: {ip_zones: {Office.North: ["192.0.2.0/24"]}}
`
	f, err := load(t, text, "LOG_URL=postgres://u:p@h/db", "LOGFLUME_FLUSH_INTERVAL=250ms", "LOGFLUME_FILTER_SAMPLE=0.5",
		"LOGFLUME_PORT=tcp://192.0.2.1:9464", "LOGFLUME_SERVICE_HOST=192.0.2.1", "LOGFLUME_TEST_X=1", "LOGFLUME_ENRICH_HOSTNAME=false")
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	check("service", f.Service, "checkout")
	check("url", string(f.Database.URL), "postgres://u:p@h/db")
	check("retention", f.Database.Retention, duration(30*24*time.Hour))
	check("schema", f.Database.Schema, "logs")
	check("start of first", f.Sources[0].File.StartAt, "end")
	check("start of second", f.Sources[1].File.StartAt, "beginning")
	check("keep", f.Filter.Keep, `level == "ERROR" or message == "${x}"`)
	check("sample", f.Filter.Sample, 0.5)
	check("rows", f.Flush.Rows, count(5000))
	check("interval", f.Flush.Interval, duration(250*time.Millisecond))
	check("memory", f.Limits.Memory, size(128<<20))
	check("line", f.Limits.Line, size(1<<20))
	check("hostname", f.Enrich.Hostname, false)
	check("zone", f.Enrich.IPZones["Office.North"][0], "192.0.2.0/24")
}

func TestConfigEmptyFiles(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n", "sources: []\n", "sources:\n"} {
		if _, err := load(t, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := loadConfig("", nil); err != nil {
		t.Errorf("no file: %v", err)
	}
	if _, err := loadConfig("/no/such/file.yaml", nil); err == nil || !strings.Contains(err.Error(), "/no/such/file.yaml: cannot read") {
		t.Errorf("missing file: %v", err)
	}
}

func TestValuesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0s", "10ms", "1s", "1m", "1m30s", "12h", "1h5m", "30d", "365d"} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.String() != text {
			t.Errorf("duration %s: got %s, %v", text, d, err)
		}
	}
	for _, text := range []string{"0", "1B", "1500B", "4KiB", "64MiB", "1GiB"} {
		var s size
		if err := s.UnmarshalText([]byte(text)); err != nil || s.String() != text {
			t.Errorf("size %s: got %s, %v", text, s, err)
		}
	}
	var d duration
	if err := d.UnmarshalText([]byte("1.5d12h")); err != nil || time.Duration(d) != 48*time.Hour {
		t.Errorf("got %s, %v", d, err)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	for _, u := range []secretURL{
		"postgres://user:hunter2@host/db", "postgres://user:hun@ter2@host/db", "host=h password=hunter2 user=x",
		"host=h password = 'hun\\'ter2' user=x", "postgres://host/db?user=x&password=hunter2",
	} {
		for _, shown := range []string{u.String(), u.GoString(), u.LogValue().String(), redact("error: " + string(u))} {
			if strings.Contains(shown, "ter2") {
				t.Errorf("password in %s", shown)
			}
		}
	}
}

// Who starts from the example loses no line for not having read it: all are stored but health checks, and rotated files
// are read on when they are compressed.
func TestExampleStoresEverything(t *testing.T) {
	t.Parallel()
	f, err := loadConfig("../../deploy/logflume.yaml", []string{"LOG_DATABASE_URL=postgres://log_writer@localhost/app"})
	if err != nil {
		t.Fatal(err)
	}
	if c := f.Filter; c.Drop != `endpoint == "/healthz"` || c.Keep != "" || c.Sample != 0 {
		t.Errorf("filter: %+v", c)
	}
	if s := f.Sources[0].File; len(s.Exclude) > 0 {
		t.Errorf("excluded: %q", s.Exclude)
	}
}

// What the documents show can be used as it stands.
func TestDocumentedConfigurations(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../../deploy/logflume.yaml")
	if err != nil {
		t.Fatal(err)
	}
	commented := regexp.MustCompile(`(?m)^  # (- |    )`)
	withKafka := commented.ReplaceAllString(string(example), "  $1")
	if !strings.Contains(withKafka, "\n  - kafka:\n") {
		t.Error("the example has no Kafka source to uncomment")
	}
	sampled := strings.NewReplacer("  # keep:", "  keep:", "  # sample:", "  sample:").Replace(string(example))
	texts := []string{string(example), withKafka, sampled}
	for _, page := range []string{"../../README.md", "../../docs/configuration.md"} { // docs/kafka.md has a test of its own
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split(string(content), "```yaml\n")[1:] {
			text, _, _ := strings.Cut(block, "```")
			texts = append(texts, text)
		}
	}
	for _, text := range texts {
		f, err := load(t, text, "LOG_DATABASE_URL=postgres://log_writer@localhost/app", "KAFKA_PASSWORD=p")
		if err == nil {
			_, err = newWiring(f, testLog(t))
		}
		if err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
}
