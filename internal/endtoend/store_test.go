package endtoend

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"logflume/internal/testkit"
	"logflume/schema"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// A store is one schema and the program that imports into it.
type store struct {
	*testing.T
	schema      string
	files       string // directory of files to import
	config      string // path of the configuration
	environment []string
	conn        *pgx.Conn // sees the schema's tables, in UTC
}

// newStore makes an empty schema; settings are lines of the configuration.
func newStore(t *testing.T, settings string) *store {
	t.Helper()
	db := testkit.Postgres(t)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	s := &store{T: t, schema: db.Schema, files: t.TempDir(), config: filepath.Join(t.TempDir(), "logflume.yaml"), conn: db.Connect(t)}
	if _, err := s.conn.Exec(t.Context(), "set search_path = "+db.Schema+"; set timezone = 'UTC'; set jit = off"); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("host: endtoend\ndatabase: {url: %q, schema: %s}\n%s\n", db.URL, db.Schema, settings)
	s.write(s.config, text)
	return s
}

func (s *store) write(path, content string) {
	s.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		s.Fatal(err)
	}
}

// file writes a file to import and returns its path.
func (s *store) file(name, content string) string {
	s.Helper()
	path := filepath.Join(s.files, name)
	s.write(path, content)
	return path
}

// imports runs the program's import of paths, which must succeed, and returns what it prints.
func (s *store) imports(paths ...string) string {
	s.Helper()
	stdout, stderr, err := s.tryImport(paths...)
	if err != nil {
		s.Fatalf("import: %v\n%s", err, stderr)
	}
	return stdout
}

// importsBeside imports paths while another session is compacting, so that their shares stay as they were inserted.
func (s *store) importsBeside(paths ...string) {
	s.Helper()
	var alone bool
	s.query("select pg_advisory_lock(hashtext('logflume compaction'), 'log_analytics'::regclass::oid::integer) is not null", &alone)
	s.imports(paths...)
	s.query("select pg_advisory_unlock(hashtext('logflume compaction'), 'log_analytics'::regclass::oid::integer)", &alone)
	if !alone {
		s.Error("another session could compact")
	}
}

// tryImport runs an import and returns what it prints and how it ended.
func (s *store) tryImport(paths ...string) (stdout, stderr string, err error) {
	s.Helper()
	command := exec.CommandContext(s.Context(), testkit.Binary(s), append([]string{"import", "--config", s.config}, paths...)...)
	// The environment of whoever runs the tests must not configure what they test.
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.files, "TMPDIR=" + os.TempDir()}, s.environment...)
	var out, log bytes.Buffer
	command.Stdout, command.Stderr = &out, &log
	err = command.Run()
	for _, c := range append(out.Bytes(), log.Bytes()...) {
		if c < ' ' && c != '\n' {
			s.Errorf("the program printed control characters:\n%q%q", out.String(), log.String())
			break
		}
	}
	return out.String(), log.String(), err
}

// query scans the one row of an answer.
func (s *store) query(sql string, to ...any) {
	s.Helper()
	if err := s.conn.QueryRow(s.Context(), sql).Scan(to...); err != nil {
		s.Fatalf("%v\n%s", err, sql)
	}
}

// each scans every row of an answer and calls f.
func (s *store) each(sql string, to []any, f func()) {
	s.Helper()
	rows, err := s.conn.Query(s.Context(), sql)
	if err == nil {
		_, err = pgx.ForEachRow(rows, to, func() error { f(); return nil })
	}
	if err != nil {
		s.Fatalf("%v\n%s", err, sql)
	}
}

// text returns an answer of one text.
func (s *store) text(sql string) (text string) {
	s.Helper()
	s.query(sql, &text)
	return text
}

// same fails unless both queries have the same rows, in any order, and at least one.
func (s *store) same(what, got, want string) {
	s.Helper()
	var total int64
	var differences []string
	s.query(fmt.Sprintf(`with got as materialized (%s), want as materialized (%s)
		select (select count(*) from want), array(
			(select 'got  ' || x::text from (select * from got except all select * from want) x order by 1 limit 5) union all
			(select 'want ' || x::text from (select * from want except all select * from got) x order by 1 limit 5))`, got, want),
		&total, &differences)
	if len(differences) > 0 {
		s.Errorf("%s:\n\t%s", what, cut(strings.Join(differences, "\n\t")))
	}
	if total == 0 {
		s.Errorf("%s: there is nothing to compare", what)
	}
}

// cut shortens what is too long to read.
func cut(text string) string {
	const most = 1000
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", text[:most], len(text))
}

// requireBalance fails unless the ledger adds up and the analysis counted what the ledger says.
func (s *store) requireBalance() {
	s.Helper()
	var balanced bool
	var lines, kept, filtered, dead, events, analysed, rows, letters int64
	s.query(`select bool_and(balanced and closed and lost_bytes = 0 and bytes = position), sum(lines)::bigint,
		sum(kept)::bigint, sum(filtered)::bigint, sum(dead)::bigint, sum(events)::bigint, sum(analysed)::bigint,
		(select count(*) from log_events), (select count(*) from log_dead_letters) from source_ledger`,
		&balanced, &lines, &kept, &filtered, &dead, &events, &analysed, &rows, &letters)
	if !balanced || lines != kept+filtered+dead || events != rows || dead != letters {
		s.Errorf("ledger: balanced %v, %d lines, %d kept, %d filtered, %d dead, %d events; %d rows and %d dead letters are stored",
			balanced, lines, kept, filtered, dead, events, rows, letters)
	}
	for _, once := range []string{"window_seconds < 3600", "window_seconds = 3600 or not rolled", "window_seconds = 86400 or not rolled"} {
		var counted, stored int64
		s.query(`select sum((summary ->> 'total_logs')::bigint)::bigint, sum((summary ->> 'kept')::bigint)::bigint
			from log_analytics where `+once, &counted, &stored)
		if counted != analysed || stored != events {
			s.Errorf("windows where %s count %d events, %d stored; the ledger %d, %d", once, counted, stored, analysed, events)
		}
	}
}

// ledgerText is what the program prints after the very first import into a schema.
func (s *store) ledgerText() (text string) {
	s.Helper()
	return s.text(`select format(E'lines     %s\n  kept      %s (%s events)\n  filtered  %s\n  dead      %s\n',
		sum(lines), sum(kept), sum(events), sum(filtered), sum(dead)) from source_ledger`)
}

// compact compacts, some shares at a time, until there is nothing left to do.
func (s *store) compact() {
	s.Helper()
	for more := true; more; {
		s.query("select compact(200)", &more)
	}
	if n := s.text("select count(*)::text from log_analytics where not rolled"); n != "0" {
		s.Fatalf("%s shares are left after compaction", n)
	}
}
