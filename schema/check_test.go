package schema_test

import (
	"errors"
	"strings"
	"testing"

	"logflume/internal/testkit"
	"logflume/schema"
)

func TestCheckMissing(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	conn := db.Connect(t)
	missing := func(what string) {
		t.Helper()
		err := schema.Check(t.Context(), conn, db.Schema)
		if !errors.Is(err, schema.ErrMissing) || !strings.Contains(err.Error(), "run `logflume migrate`") {
			t.Errorf("%s: %v", what, err)
		}
	}
	missing("no schema")
	exec(t, conn, "CREATE SCHEMA "+db.Schema)
	missing("empty schema")
	exec(t, conn, "CREATE TABLE "+db.Schema+".log_schema_versions (version bigint)")
	missing("no version")
	if err := schema.Roles(t.Context(), db.URL, db.Schema); !errors.Is(err, schema.ErrMissing) {
		t.Errorf("Roles without a schema: %v", err)
	}
}

func TestCheckVersions(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	conn := connect(t, db)
	if err := schema.Check(t.Context(), conn, db.Schema); err != nil {
		t.Fatal(err)
	}
	exec(t, conn, "INSERT INTO log_schema_versions VALUES ($1, 'of the future')", schema.Version+1)
	err := schema.Check(t.Context(), conn, db.Schema)
	if !errors.Is(err, schema.ErrNewer) || !strings.Contains(err.Error(), "use a newer logflume") {
		t.Errorf("newer schema: %v", err)
	}
	exec(t, conn, "DELETE FROM log_schema_versions WHERE version >= $1", schema.Version)
	err = schema.Check(t.Context(), conn, db.Schema)
	if !errors.Is(err, schema.ErrOlder) || !strings.Contains(err.Error(), "run `logflume migrate`") {
		t.Errorf("older schema: %v", err)
	}
	if err := schema.Check(t.Context(), conn, "no such name"); err == nil {
		t.Error("took an invalid name")
	}
}

func TestCheckRights(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	admin := connect(t, db)
	user := db.Schema + "_user"
	exec(t, admin, "CREATE ROLE "+user)
	later(t, db, "DROP OWNED BY "+user, "DROP ROLE "+user)

	conn := db.Connect(t)
	exec(t, conn, "SET SESSION AUTHORIZATION "+user)
	lacking := func(grant string, what ...string) {
		t.Helper()
		if grant != "" {
			exec(t, admin, "GRANT "+grant+" TO "+user)
		}
		err := schema.Check(t.Context(), conn, db.Schema)
		if !errors.Is(err, schema.ErrRights) || !strings.Contains(err.Error(), "logflume migrate --roles") {
			t.Fatalf("after GRANT %s: %v", grant, err)
		}
		for _, w := range what {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("after GRANT %s: %v does not name %q", grant, err, w)
			}
		}
	}
	lacking("", "permission denied for schema "+db.Schema)
	lacking("USAGE ON SCHEMA "+db.Schema, "permission denied for table log_schema_versions")
	lacking("SELECT ON log_schema_versions", "INSERT on log_events", "INSERT on log_analytics", "INSERT on log_dead_letters",
		"SELECT on log_patterns", "UPDATE on log_positions", "EXECUTE on compact", "EXECUTE on ensure_partitions")
	lacking("SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA "+db.Schema, "EXECUTE on drop_expired")
	exec(t, admin, "GRANT EXECUTE ON FUNCTION ensure_partition, ensure_partitions, drop_expired, compact, "+
		"store_aliases, unmerge_pattern, remerge_pattern TO "+user)
	if err := schema.Check(t.Context(), conn, db.Schema); err != nil {
		t.Error(err)
	}
	exec(t, admin, "REVOKE INSERT ON log_events FROM "+user)
	lacking("", "INSERT on log_events")
	exec(t, admin, "GRANT INSERT ON log_events TO "+user)
	exec(t, admin, "DROP FUNCTION compact")
	lacking("", "EXECUTE on compact")
}
