package parse

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/testkit"
	"logflume/pipeline"
)

// A store is a table that takes events as log_events does: by binary COPY, into the same types.
type store struct {
	conn  *pgx.Conn
	table pgx.Identifier
}

var storeColumns = []string{"timestamp", "response_time", "status", "client_ip", "attrs",
	"level", "service", "logger", "endpoint", "method", "message", "exception", "trace_id", "user_id", "tenant_id"}

func newStore(tb testing.TB) *store {
	tb.Helper()
	db := testkit.Postgres(tb)
	s := &store{conn: db.Connect(tb), table: pgx.Identifier{db.Schema, "events"}}
	_, err := s.conn.Exec(tb.Context(), fmt.Sprintf(`create schema %s; create table %s (
		timestamp timestamptz, response_time real, status smallint, client_ip inet, attrs jsonb, level text, service text, logger text,
		endpoint text, method text, message text, exception text, trace_id text, user_id text, tenant_id text);
		create index on %s (service, trace_id); create index on %s (endpoint); create index on %s (logger, level)`,
		db.Schema, s.table.Sanitize(), s.table.Sanitize(), s.table.Sanitize(), s.table.Sanitize()))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// copyIn stores events, all or none.
func (s *store) copyIn(tb testing.TB, events []pipeline.Event) error {
	_, err := s.conn.CopyFrom(tb.Context(), s.table, storeColumns, pgx.CopyFromSlice(len(events), func(i int) ([]any, error) {
		e := &events[i]
		row := []any{time.UnixMicro(e.Time), nil, e.Status, nil, json.RawMessage("{}"), e.Level, e.Service, e.Logger, e.Endpoint,
			e.Method, e.Message, e.Exception, e.TraceID, e.UserID, e.TenantID}
		if e.HasResponseTime() {
			row[1] = float32(e.ResponseTime)
		}
		if e.ClientIP.IsValid() {
			row[3] = e.ClientIP
		}
		if e.Attrs != nil {
			row[4] = json.RawMessage(e.Attrs)
		}
		return row, nil
	}))
	return err
}

// hostile are lines of which each tries to get something past the parser that Postgres refuses.
func hostile() []string {
	lines := append([]string(nil), seeds...)
	for _, value := range []string{
		`"\u0000"`, `"a\\u0000b"`, `"\ud800"`, `"\udc00\ud800"`, `"\ud83d\ude00"`, `"\uffff"`, "\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\xbd\xed\xb8\x80\"",
		"\"\xf4\x90\x80\x80\"", "\"\u2028\x7f\u0085\"", `1e999999`, `1e131071`, `1e-16384`, `-1E+400`, strings.Repeat("9", 20_000), `0.` + strings.Repeat("1", 20_000),
		`18446744073709551616`, `"` + strings.Repeat("x", 3000) + `"`, `"` + strings.Repeat("日", 20_000) + `"`,
		strings.Repeat("[", 8000) + strings.Repeat("]", 8000), strings.Repeat(`{"a":`, 8000) + "1" + strings.Repeat("}", 8000),
		`"infinity"`, `"0001-01-01T00:00:00Z"`, `"9999-12-31T23:59:59Z"`, `1e39`, `-0`, `"'); DROP TABLE log_events; --"`, `"\\.\t\\N"`,
		manyKeys(300), manyKeys(3000), `{"` + strings.Repeat("k", 70_000) + `":1}`, `{"\u0000":{"\ud800":"\u0000"}}`, `"1970-01-01T00:00:00Z"`,
	} {
		for _, key := range []string{"a", `\u0000`, "message", "timestamp", "level", "trace_id", "service", "endpoint", "exception", "error", "response_time",
			"status", "client_ip", "user_agent", "http", "method", "_ts", "_overflow"} {
			lines = append(lines, `{"`+key+`":`+value+`}`)
		}
		lines = append(lines, `[{"a":`+value+`},{"b":[`+value+`,{"c":`+value+`}]}]`, strings.Trim(value, `"`))
		if quoted := strings.Trim(value, `"`); !strings.Contains(quoted, `"`) {
			lines = append(lines, `{"log":"`+quoted+`\n","stream":"stdout","time":"2026-01-15T08:00:00Z"}`)
		}
		lines = append(lines, `level=info msg=`+value+` n=5`, `2026-01-15 08:00:00 `+value, `1999-01-15 08:00:00 `+value)
		lines = append(lines, `{"log":"a\n","stream":"stderr","attrs":{"a":`+value+`},"time":"2026-01-15T08:00:00Z"}`,
			`2026-01-15T08:00:00Z stdout F {"stream":`+value+`,"pod":`+value+`}`, `2026-01-15T08:00:00Z stderr P `+value)
	}
	return append(lines, `level=info msg="\x00\xff\U0000d800\ud800\d" err=<nil>`, `a=`+strings.Repeat("9", 100)+` msg=x`,
		"caf\xe9 au lait and more of it", "\x1b[31mred", "a\x00b", "\x1f\x8b\x08\x00", `{"timestamp":"2026-01-15T08:00:00Z"}{"a":1}`)
}

// Whatever the parser accepts, Postgres accepts.
func FuzzAcceptedIsStorable(f *testing.F) {
	for _, line := range hostile() {
		f.Add([]byte(line), false)
	}
	s := newStore(f)
	p, _ := newParser(f, Options{})
	f.Fuzz(func(t *testing.T, line []byte, partial bool) {
		b := batchOf(string(line))
		b.Lines[0].Partial = partial
		p.Process(b)
		if err := s.copyIn(t, b.Events); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	})
}

// The same for thousands of lines made from the hostile ones, the same each time, many to a COPY.
func TestAcceptedMutationsAreStorable(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	p, _ := newParser(t, Options{})
	random := rand.New(rand.NewPCG(5, 6))
	base := hostile()
	rows := 0
	for range 40 {
		var lines []string
		for range 300 {
			line := base[random.IntN(len(base))]
			if len(line) > 5000 {
				line = base[random.IntN(len(seeds))]
			}
			lines = append(lines, mutate(random, line))
		}
		b := batchOf(lines...)
		p.Process(b)
		rows += len(b.Events)
		if s.copyIn(t, b.Events) == nil {
			continue
		}
		for i := range b.Events {
			if err := s.copyIn(t, b.Events[i:i+1]); err != nil {
				t.Errorf("%q: %v", b.Raw(int(b.Events[i].Line)), err)
			}
		}
	}
	if rows < 2000 {
		t.Errorf("only %d of 12000 lines were accepted: the mutations test nothing", rows)
	}
}

// Each hostile line in the middle of good ones: the good ones are all there.
func TestHostileLineHarmsNoOther(t *testing.T) {
	t.Parallel()
	const good = 50
	p, _ := newParser(t, Options{})
	for _, line := range hostile() {
		var lines []string
		for i := range good {
			lines = append(lines, fmt.Sprintf(`{"level":"INFO","message":"good %d","n":%d}`, i, i))
		}
		lines = append(lines[:good/2], append([]string{line}, lines[good/2:]...)...)
		b := batchOf(lines...)
		p.Process(b)
		n := 0
		for i := range b.Events {
			e := &b.Events[i]
			if e.Message == fmt.Sprintf("good %d", n) && string(e.Attrs) == fmt.Sprintf(`{"n":%d}`, n) && e.Level == "INFO" {
				n++
			}
		}
		if n != good {
			t.Errorf("%.60q: %d good lines of %d", line, n, good)
		}
		if l := b.Ledger(); l.Lines != good+1 || l.Kept+l.Filtered+l.Dead != l.Lines || l.Kept < good {
			t.Errorf("%.60q: %+v", line, l)
		}
	}
}
