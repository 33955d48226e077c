package testkit_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"logflume/internal/privatepg"
	"logflume/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestPostgresGivesEachTestItsSchema(t *testing.T) {
	t.Parallel()
	var schema string
	observer := testkit.Postgres(t).Connect(t)
	exists := func() (found bool) {
		err := observer.QueryRow(t.Context(), "select exists (select from pg_namespace where nspname = $1)", schema).Scan(&found)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	t.Run("inner", func(t *testing.T) {
		db := testkit.Postgres(t)
		schema = db.Schema
		if exists() {
			t.Error("the schema is there before the test made it")
		}
		if _, err := db.Connect(t).Exec(t.Context(), "create schema "+db.Schema+"; create table "+db.Schema+".x ()"); err != nil {
			t.Fatal(err)
		}
		if !exists() {
			t.Error("the schema is on another server")
		}
	})
	if exists() {
		t.Error("the schema is still there after its test")
	}
}

func TestPostgresElsewhere(t *testing.T) {
	const url = "postgres://nobody@192.0.2.1/none"
	t.Setenv(testkit.DatabaseVariable, url)
	found := &fatal{TB: t}
	if db := testkit.Postgres(found); db.URL != url {
		t.Errorf("used %s", db.URL)
	}
}

// fatal is a test that takes no cleanups.
type fatal struct{ testing.TB }

func (*fatal) Cleanup(func()) {}

func TestProgramIsBuiltOnce(t *testing.T) {
	t.Parallel()
	first, second := testkit.Program(t, "./internal/testkit/testdata/hello"), testkit.Program(t, "./internal/testkit/testdata/hello")
	if first != second {
		t.Errorf("built twice: %s and %s", first, second)
	}
	out, err := exec.Command(first).Output()
	if err != nil || strings.TrimSpace(string(out)) != "hello" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestServerStopsAndStarts(t *testing.T) {
	t.Parallel()
	s := testkit.Server(t, privatepg.Options{})
	if err := s.Stop(privatepg.Immediate); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.SocketDir() + "/.s.PGSQL.5432"); err == nil {
		t.Error("the socket is still there")
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Connect(t, s.URL("postgres"))
}
