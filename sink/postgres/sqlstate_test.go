package postgres

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"logflume/internal/testkit"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	check := func(code string, want Class) {
		t.Helper()
		if got := Classify(fmt.Errorf("x: %w", &pgconn.PgError{Code: code})); got != want {
			t.Errorf("%s: %v, want %v", code, got, want)
		}
	}
	for _, code := range []string{"57P01", "57P02", "57P03", "08006", "08P01", "25P03"} {
		check(code, Unreachable)
	}
	for _, code := range []string{"53000", "53100", "53200", "53300"} {
		check(code, Overloaded)
	}
	for _, code := range []string{"55P03", "40P01", "40001", "57014", "25P02", "58030", "XX000", "P0001", ""} {
		check(code, Retry)
	}
	for _, code := range []string{"42501", "42P01", "42703", "42804", "3D000", "3F000", "28000", "28P01", "22P03", "22P04"} {
		check(code, Misconfigured)
	}
	for _, code := range []string{"22001", "22003", "22021", "22P02", "22P05", "23502", "23505", "54000", "54001"} {
		check(code, BadRow)
	}
	check("25006", ReadOnly)
	check("23514", MissingPartition)
	if got := Classify(&pgconn.PgError{Code: "23514", ConstraintName: "c"}); got != BadRow {
		t.Errorf("violated check: %v", got)
	}
	if got := Classify(&pgconn.PgError{Code: "08P01", Where: "COPY log_events, line 1, column status"}); got != Misconfigured {
		t.Errorf("too few bytes: %v", got)
	}
	if Classify(nil) != Healthy || Classify(net.ErrClosed) != Unreachable || Classify(errNotCommitted) != Retry ||
		Classify(context.DeadlineExceeded) != Unreachable {
		t.Error("errors that are not Postgres's")
	}
}

// The real thing gives the codes and contexts that the policy speaks of.
func TestClassesAsProduced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	run := func(conn *pgx.Conn, sql string) error {
		_, err := conn.PgConn().Exec(ctx, r.in(sql)).ReadAll()
		return err
	}
	check := func(what string, err error, code string, want Class) {
		t.Helper()
		if sqlState(err) != code || Classify(err) != want {
			t.Errorf("%s: %v, class %v, want %s, %v", what, err, Classify(err), code, want)
		}
	}
	conn := r.db.Connect(t)
	check("no table", run(conn, "SELECT FROM @nothing"), "42P01", Misconfigured)
	check("no column", run(conn, "SELECT nothing FROM @log_events"), "42703", Misconfigured)
	check("no partition", run(conn, "INSERT INTO @log_events (timestamp, source_offset, source_id) VALUES ('2001-01-01', 0, 0)"),
		"23514", MissingPartition)
	check("check constraint", run(conn, "INSERT INTO @log_positions (source_key, lines) VALUES ('x', 1)"), "23514", BadRow)
	check("not null", run(conn, "INSERT INTO @log_patterns (pattern_id, pattern) VALUES (1, NULL)"), "23502", BadRow)
	check("read-only", run(conn, "BEGIN READ ONLY; INSERT INTO @log_patterns VALUES (1, 'p')"), "25006", ReadOnly)
	check("in a failed transaction", run(conn, "SELECT 1"), "25P02", Retry)
	check("", run(conn, "ROLLBACK"), "", Healthy)
	check("statement time-out", run(conn, "SET statement_timeout = 1; SELECT pg_sleep(60)"), "57014", Retry)
	check("", run(conn, "RESET statement_timeout"), "", Healthy)

	other := r.db.Connect(t)
	check("", run(other, "BEGIN; LOCK TABLE @log_patterns"), "", Healthy)
	check("lock time-out", run(conn, "SET lock_timeout = 1; SELECT FROM @log_patterns"), "55P03", Retry)
	check("", run(conn, "RESET lock_timeout"), "", Healthy)
	check("terminated", run(other, "SELECT pg_terminate_backend(pg_backend_pid())"), "57P01", Unreachable)
	if err := run(other, "SELECT 1"); Classify(err) != Unreachable {
		t.Errorf("on a lost connection: %v", err)
	}
	check("serialisation", r.conflict("BEGIN ISOLATION LEVEL REPEATABLE READ"), "40001", Retry)
	check("deadlock", r.deadlock(), "40P01", Retry)
	_, err := pgx.Connect(ctx, r.urlOf("nobody_"+r.db.Schema, ""))
	check("no such role", err, "28000", Misconfigured)
	_, err = pgx.Connect(ctx, r.urlOf("", "nothing"))
	check("no such database", err, "3D000", Misconfigured)
	_, err = pgx.Connect(ctx, "postgres://127.0.0.1:1/x?sslmode=disable")
	check("nobody listens", err, "", Unreachable)
}

// urlOf returns the database's URL for another role or another database.
func (r *rig) urlOf(role, database string) string {
	u, err := url.Parse(r.db.URL)
	if err != nil {
		r.Fatal(err)
	}
	if role != "" {
		u.User = url.User(role)
	}
	if database != "" {
		u.Path = "/" + database
	}
	return u.String()
}

// conflict makes two transactions update one row, the second after the first has committed.
func (r *rig) conflict(begin string) error {
	ctx := r.Context()
	one, two := r.db.Connect(r), r.db.Connect(r)
	r.exec("INSERT INTO @log_positions (source_key) VALUES ('conflict')")
	const update = "UPDATE @log_positions SET epoch = epoch + 1 WHERE source_key = 'conflict'"
	for _, step := range []struct {
		conn *pgx.Conn
		sql  string
	}{{two, begin + "; SELECT FROM @log_positions"}, {one, update}, {two, update}} {
		if _, err := step.conn.PgConn().Exec(ctx, r.in(step.sql)).ReadAll(); err != nil {
			return err
		}
	}
	return nil
}

// deadlock makes two transactions wait for each other and returns the error of the one that loses.
func (r *rig) deadlock() error {
	ctx := r.Context()
	one, two := r.db.Connect(r), r.db.Connect(r)
	lock := func(conn *pgx.Conn, table string) error {
		_, err := conn.PgConn().Exec(ctx, r.in("LOCK TABLE @"+table)).ReadAll()
		return err
	}
	r.must(one.PgConn().Exec(ctx, "BEGIN; SET LOCAL deadlock_timeout = '10s'").ReadAll())
	r.must(two.PgConn().Exec(ctx, "BEGIN; SET LOCAL deadlock_timeout = 1").ReadAll())
	r.must(nil, lock(one, "log_patterns"))
	r.must(nil, lock(two, "log_instances"))
	waiting := make(chan error, 1)
	go func() { waiting <- lock(one, "log_instances") }()
	testkit.Eventually(r, "the first waits", func() bool {
		return ask[bool](r, "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid = $1)", one.PgConn().PID())
	})
	err := lock(two, "log_patterns")
	r.must(two.PgConn().Exec(ctx, "ROLLBACK").ReadAll())
	r.must(nil, <-waiting)
	return err
}

func (r *rig) must(_ []*pgconn.Result, err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func TestRefusedRow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		where, column string
		row           int
	}{
		{"COPY log_events, line 3, column attrs", "attrs", 3},
		{"JSON data, line 1: {\"a\": ...\nCOPY log_events, line 12, column attrs: \"{\"a\", line 9, column x\"", "attrs", 12},
		{"COPY log_events, line 7", "", 7},
		{"COPY log_events, line 7: \"1, 2\"", "", 7},
		{"PL/pgSQL function f() line 3 at RAISE\nCOPY log_events, line 4", "", 4},
		{"COPY log_events", "", 0},
		{"SQL statement \"SELECT 1\"", "", 0},
		{"", "", 0},
	} {
		row, column := refusedRow(&pgconn.PgError{Where: c.where})
		if row != c.row || column != c.column {
			t.Errorf("%q: row %d, column %q", c.where, row, column)
		}
	}
}

// What is logged of an error holds no data.
func TestDescribeHidesData(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.conn.Exec(t.Context(), "SELECT 'secret'::integer")
	if got := describe(err); got != "SQLSTATE 22P02" {
		t.Error(got)
	}
	if got := describe(&pgconn.PgError{Code: "42501", Message: "permission denied for table x", Detail: "secret", Where: "secret"}); got != "permission denied for table x (SQLSTATE 42501)" {
		t.Error(got)
	}
}
