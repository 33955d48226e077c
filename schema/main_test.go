package schema_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"logflume/internal/testkit"
	"logflume/schema"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// migrated returns a schema at the present version.
func migrated(t *testing.T) testkit.DB {
	t.Helper()
	db := testkit.Postgres(t)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	return db
}

// connect returns a connection that looks names up in the schema.
func connect(t *testing.T, db testkit.DB) *pgx.Conn {
	t.Helper()
	conn := db.Connect(t)
	exec(t, conn, "SET search_path = "+db.Schema)
	exec(t, conn, "SET statement_timeout = '2min'") // what waits for a lock for ever fails
	return conn
}

// address returns the connection string of another user or database on the same server.
func address(conn *pgx.Conn, user, password, database string) string {
	c := conn.Config()
	return fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s", c.Host, c.Port, user, password, database)
}

// exec runs statements that must succeed.
func exec(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// one returns the single value that a query yields.
func one[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// column returns the values of a query with one column.
func column[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) []T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	v, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// sqlState returns the SQLSTATE of an error, "" for none and "?" for one that is not Postgres's.
func sqlState(err error) string {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &pg):
		return pg.Code
	default:
		return "?"
	}
}

// stateOf runs a statement and returns its SQLSTATE.
func stateOf(ctx context.Context, conn *pgx.Conn, sql string, args ...any) string {
	_, err := conn.Exec(ctx, sql, args...)
	return sqlState(err)
}

// later runs statements when the test ends, after its connections are closed.
func later(t *testing.T, db testkit.DB, sql ...string) {
	t.Helper()
	t.Cleanup(func() {
		ctx := context.Background() // the test's own has ended
		conn, err := pgx.Connect(ctx, db.URL)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(ctx)
		for _, s := range sql {
			if _, err := conn.Exec(ctx, s); err != nil {
				t.Errorf("%s: %v", s, err)
			}
		}
	})
}
