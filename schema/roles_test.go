package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"logflume/internal/privatepg"
	"logflume/internal/testkit"
	"logflume/schema"
)

// withRoles returns a schema with roles, and a connection that acts as one of them.
func withRoles(t *testing.T) (db testkit.DB, as func(role string) *pgx.Conn) {
	t.Helper()
	db = migrated(t)
	if err := schema.Roles(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	return db, func(role string) *pgx.Conn {
		conn := connect(t, db)
		exec(t, conn, "SET SESSION AUTHORIZATION "+role)
		exec(t, conn, "SET default_transaction_read_only = off") // rights alone shall hold
		return conn
	}
}

const denied = "42501"

// A case is a statement and the SQLSTATE it must end with.
type statement struct{ state, sql string }

func expect(t *testing.T, conn *pgx.Conn, cases []statement) {
	t.Helper()
	for _, c := range cases {
		if got := stateOf(t.Context(), conn, c.sql); got != c.state {
			t.Errorf("%s\ngives %q, want %q", c.sql, got, c.state)
		}
	}
}

func TestWriterMayWriteAndNoMore(t *testing.T) {
	t.Parallel()
	db, as := withRoles(t)
	writer := as("log_writer")
	if err := schema.Check(t.Context(), writer, db.Schema); err != nil {
		t.Error(err)
	}
	exec(t, writer, "SELECT ensure_partition(now())")
	partition := one[string](t, connect(t, db), "SELECT name FROM list_partitions()")
	expect(t, writer, []statement{
		// its work
		{"", "INSERT INTO log_events (timestamp, source_offset, source_id) VALUES (now(), 0, 1)"},
		{"", "INSERT INTO log_analytics (timestamp, window_seconds) VALUES (now(), 60)"},
		{"", "INSERT INTO log_dead_letters (source_id, source_offset, reason, raw, length) VALUES (1, 0, 'json', 'x', 1)"},
		{"", "INSERT INTO log_patterns (pattern_id, pattern) SELECT 1, 'a' WHERE NOT EXISTS (SELECT FROM log_patterns WHERE pattern_id = 1) ON CONFLICT DO NOTHING"},
		{"", "INSERT INTO log_positions (source_key, meta) VALUES ('file:h/1:1#1', '{}') RETURNING source_id"},
		{"", `WITH l AS MATERIALIZED (SELECT source_id, epoch, position FROM log_positions WHERE source_id = ANY ('{1}') ORDER BY source_id FOR UPDATE SKIP LOCKED)
			UPDATE log_positions p SET position = 10, lines = p.lines + 1, kept = p.kept + 1, meta = p.meta || '{"a": 1}', updated_at = now()
			FROM l WHERE p.source_id = l.source_id AND l.epoch = 0 AND l.position = 0 RETURNING p.source_id`},
		{"", "UPDATE log_positions SET epoch = epoch + 1, lost_bytes = lost_bytes + 5"},
		{"", "INSERT INTO log_instances (instance, host, version) VALUES ('i', 'h', 'v') ON CONFLICT (instance) DO UPDATE SET seen_at = now()"},
		{"", "SELECT * FROM list_partitions()"},
		{"", "SELECT ensure_partitions(ARRAY[current_date, current_date + 1])"},
		{"", "SELECT compact()"},
		{"", "SELECT store_aliases('{1,2}', '{3,3}', '{a,a}', '{2,2}')"},
		{"", "SELECT from_id, pattern FROM log_pattern_aliases"},
		{"", "SELECT unmerge_pattern(3)"},
		{"", "SELECT remerge_pattern(3)"},
		{"", "SELECT drop_expired('30 days')"},
		{"", "SELECT version FROM log_schema_versions"},
		// within bounds
		{"22023", "SELECT ensure_partition('1999-12-31')"},
		{"22023", "SELECT ensure_partition(now() + interval '10 years')"},
		{"22023", "SELECT drop_expired('1 hour')"},
		{"22023", "SELECT compact(1000000000)"},
		// not its work
		{denied, "SELECT * FROM log_events"},
		{denied, "SELECT * FROM " + partition},
		{denied, "INSERT INTO " + partition + " (timestamp, source_offset, source_id) VALUES (now(), 0, 1)"},
		{denied, "INSERT INTO log_events (timestamp, source_offset, source_id) VALUES (now(), 0, 1) RETURNING *"},
		{denied, "UPDATE log_events SET message = ''"},
		{denied, "DELETE FROM log_events"},
		{denied, "TRUNCATE log_events"},
		{denied, "SELECT * FROM log_analytics"},
		{denied, "UPDATE log_analytics SET rolled = true"},
		{denied, "DELETE FROM log_analytics"},
		{denied, "SELECT raw FROM log_dead_letters"},
		{denied, "UPDATE log_dead_letters SET lines = 0"},
		{denied, "DELETE FROM log_dead_letters"},
		{denied, "TRUNCATE log_dead_letters"},
		{denied, "UPDATE log_positions SET dead_bytes = 0"},
		{denied, "UPDATE log_patterns SET pattern = ''"},
		{denied, "INSERT INTO log_pattern_aliases (from_id, to_id, pattern, evidence) VALUES (1, 2, '', 1)"},
		{denied, "DELETE FROM log_pattern_aliases"},
		{denied, "INSERT INTO log_pattern_totals (pattern_id, total) VALUES (1, 1)"},
		{denied, "UPDATE log_positions SET source_key = 'x'"},
		{denied, "DELETE FROM log_positions"},
		{denied, "DELETE FROM log_instances"},
		{denied, "UPDATE log_schema_versions SET version = 99"},
		{denied, "SELECT fold_windows(now(), 10)"},
		{denied, "SELECT roll_hour(now(), 10)"},
		{denied, "SELECT trim_tables(now(), now(), 10)"},
		{denied, "SELECT fold_positions(now())"},
		{denied, "DROP TABLE " + partition},
		{"42501", "ALTER TABLE log_events DETACH PARTITION " + partition},
		{denied, "ALTER TABLE log_events ADD c int"},
		{denied, "CREATE TABLE " + db.Schema + ".t ()"},
		{denied, "CREATE FUNCTION " + db.Schema + ".compact(text) RETURNS text LANGUAGE sql AS 'SELECT 1'"},
		{denied, "CREATE SCHEMA s"},
		{denied, "COPY (SELECT 1) TO PROGRAM 'true'"},
		{denied, "SELECT pg_read_file('postgresql.conf')"},
		{denied, "SELECT * FROM pg_authid"},
		{denied, "SET ROLE log_owner"},
		{denied, "ALTER SYSTEM SET work_mem = '1GB'"},
		{denied, "CREATE ROLE r"},
	})
}

func TestReaderMayReadAndNoMore(t *testing.T) {
	t.Parallel()
	db, as := withRoles(t)
	reader := as("log_reader")
	exec(t, connect(t, db), "SELECT ensure_partition(now())")
	exec(t, connect(t, db), `INSERT INTO log_analytics (timestamp, window_seconds, service, summary) VALUES
		(now() - interval '10 minutes', 60, 's', '{"total_logs": 1, "users": "65", "latency": {"/": {"n": 1, "sum": 1, "max": 1, "slow": 0, "k": "0", "c": "1"}}}')`)
	expect(t, reader, []statement{
		{"", "SELECT * FROM log_events"},
		{"", "SELECT * FROM log_analytics"},
		{"", "SELECT * FROM log_dead_letters"},
		{"", "SELECT * FROM source_ledger"},
		{"", "SELECT * FROM error_totals"},
		{"", "SELECT * FROM merged_patterns"},
		{"", "SELECT * FROM log_pattern_aliases"},
		{"", "SELECT resolve_pattern(1), pattern_cases(1)"},
		{"", "SELECT * FROM list_partitions()"},
		{"", "SELECT * FROM top_errors(now() - interval '1 day', now())"},
		{"", "SELECT * FROM latency_quantiles(now() - interval '1 day', now())"},
		{"", "SELECT * FROM slowest_endpoints(now() - interval '1 day', now())"},
		{"", "SELECT * FROM request_rate(now() - interval '1 day', now(), '1 hour')"},
		{"", "SELECT unique_count('users', now() - interval '1 day', now())"},
		{"", "SELECT * FROM analytics_between(now() - interval '1 day', now())"},
		{"", "SELECT * FROM rollups_between(now() - interval '1 day', now())"},
		{"", "SELECT * FROM new_errors(now() - interval '1 day')"},
		{"", "SELECT total_errors(now() - interval '1 day', now()), unique_error_patterns(now() - interval '1 day', now())"},
		{"", "SELECT * FROM error_rate(now() - interval '1 day', now())"},
		{"", "SELECT * FROM performance_issues(now() - interval '1 day', now())"},
		{"", "SELECT unique_users(now() - interval '1 day', now()), active_tenants(now() - interval '1 day', now())"},
		{"", "SELECT * FROM apdex(now() - interval '1 day', now())"},
		{"", "SELECT * FROM service_states()"},
		{"", "SELECT * FROM kpis(now() - interval '1 day', now())"},
		{"", "SELECT * FROM compare(now() - interval '2 days', now() - interval '1 day', now() - interval '1 day', now())"},
		{denied, "INSERT INTO log_events (timestamp, source_offset, source_id) VALUES (now(), 0, 1)"},
		{denied, "UPDATE log_positions SET position = 0"},
		{denied, "DELETE FROM log_dead_letters"},
		{denied, "SELECT compact()"},
		{denied, "SELECT drop_expired('30 days')"},
		{denied, "SELECT ensure_partition(now())"},
		{denied, "SELECT ensure_partitions(ARRAY[current_date])"},
		{denied, "CREATE TABLE " + db.Schema + ".t ()"},
		{denied, "SET ROLE log_writer"},
	})
	settings := column[string](t, reader, "SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = 'log_reader' ORDER BY 1")
	if want := []string{"default_transaction_read_only=on", "jit=off", "statement_timeout=30s"}; !slices.Equal(settings, want) {
		t.Errorf("settings of log_reader: %q, want %q", settings, want)
	}
}

func TestOwnerOwnsEverything(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	conn := connect(t, db)
	exec(t, conn, "SELECT ensure_partition(now())")
	for range 2 { // again is harmless
		if err := schema.Roles(t.Context(), db.URL, db.Schema); err != nil {
			t.Fatal(err)
		}
	}
	owners := column[string](t, conn, `
		SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = $1
		UNION SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE relnamespace = $1::regnamespace
		UNION SELECT pg_get_userbyid(proowner)::text FROM pg_proc WHERE pronamespace = $1::regnamespace`, db.Schema)
	if !slices.Equal(owners, []string{"log_owner"}) {
		t.Errorf("owners %q", owners)
	}
	public := column[string](t, conn, `SELECT p.proname::text FROM pg_proc p, aclexplode(p.proacl) a
		WHERE p.pronamespace = $1::regnamespace AND a.grantee = 0`, db.Schema)
	if len(public) > 0 {
		t.Errorf("everybody may execute %q", public)
	}
	exec(t, conn, "SET SESSION AUTHORIZATION log_owner")
	exec(t, conn, "SELECT ensure_partition(now() + interval '1 day'), compact()")
	if err := schema.Check(t.Context(), conn, db.Schema); err != nil {
		t.Error(err)
	}
}

// TestSecurityDefinerFunctionsIgnoreTheCallersPath plants a table where a careless function would find it.
func TestSecurityDefinerFunctionsIgnoreTheCallersPath(t *testing.T) {
	t.Parallel()
	db, as := withRoles(t)
	writer := as("log_writer")
	exec(t, writer, "CREATE TEMPORARY TABLE log_events (LIKE "+db.Schema+".log_positions)")
	exec(t, writer, "CREATE TEMPORARY TABLE log_analytics (timestamp timestamptz)")
	exec(t, writer, "CREATE FUNCTION pg_temp.hashtext(text) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RAISE ''fooled''; END'")
	exec(t, writer, "SET search_path = pg_temp, pg_catalog")
	exec(t, writer, "SELECT "+db.Schema+".ensure_partition(now()), "+db.Schema+".compact(), "+db.Schema+".drop_expired('2 days')")
	if n := one[int](t, connect(t, db), "SELECT count(*) FROM list_partitions()"); n != 1 {
		t.Errorf("%d partitions, want 1", n)
	}
}

func TestRolesConcurrently(t *testing.T) {
	t.Parallel()
	dbs := []testkit.DB{migrated(t), migrated(t)}
	group, ctx := errgroup.WithContext(t.Context())
	for i := range 6 {
		group.Go(func() error { return schema.Roles(ctx, dbs[i%2].URL, dbs[i%2].Schema) })
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// login returns the connection string of a new role that may log in.
func login(t *testing.T, db testkit.DB, attributes string) (url, role string) {
	t.Helper()
	conn := db.Connect(t)
	role = db.Schema + "_admin"
	exec(t, conn, "CREATE ROLE "+role+" LOGIN PASSWORD 'secret' "+attributes)
	later(t, db, "DROP OWNED BY "+role+" CASCADE", "DROP ROLE "+role)
	return address(conn, role, "secret", conn.Config().Database), role
}

func TestRolesWithoutRightToMakeThem(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	url, role := login(t, db, "")
	exec(t, db.Connect(t), "CREATE SCHEMA "+db.Schema+" AUTHORIZATION "+role)
	if _, _, err := schema.Migrate(t.Context(), url, db.Schema); err != nil {
		t.Fatal(err)
	}
	err := schema.Roles(t.Context(), url, db.Schema)
	if sqlState(err) != denied || !strings.Contains(err.Error(), "connect as a superuser") {
		t.Errorf("Roles: %v", err)
	}
	if err := schema.Check(t.Context(), testkit.Connect(t, url), db.Schema); err != nil {
		t.Errorf("without roles the owner writes: %v", err)
	}
}

func TestMigrateWithoutRightToCreate(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	url, _ := login(t, db, "")
	_, _, err := schema.Migrate(t.Context(), url, db.Schema)
	if sqlState(err) != denied || !strings.Contains(err.Error(), "may create schemas") {
		t.Errorf("no schema: %v", err)
	}
	exec(t, db.Connect(t), "CREATE SCHEMA "+db.Schema)
	_, _, err = schema.Migrate(t.Context(), url, db.Schema)
	if sqlState(err) != denied || !strings.Contains(err.Error(), "owner of the schema") {
		t.Errorf("somebody else's schema: %v", err)
	}
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	_, _, err = schema.Migrate(t.Context(), url, db.Schema)
	if sqlState(err) != denied || !strings.Contains(err.Error(), "owner of the schema") {
		t.Errorf("somebody else's tables: %v", err)
	}
}

// TestRolesByDatabaseOwner needs a server on which nobody has made the roles yet.
func TestRolesByDatabaseOwner(t *testing.T) {
	t.Parallel()
	server := testkit.Server(t, privatepg.Options{})
	admin := testkit.Connect(t, server.URL("postgres"))
	exec(t, admin, "CREATE ROLE dba LOGIN CREATEROLE PASSWORD 'secret'")
	exec(t, admin, "CREATE DATABASE app OWNER dba")
	url := address(admin, "dba", "secret", "app")

	if _, _, err := schema.Migrate(t.Context(), url, "user"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := schema.Roles(t.Context(), url, "user"); err != nil {
			t.Fatal(err)
		}
	}
	writer := testkit.Connect(t, server.URL("app"))
	exec(t, writer, "SET SESSION AUTHORIZATION log_writer")
	if err := schema.Check(t.Context(), writer, "user"); err != nil {
		t.Error(err)
	}
	exec(t, writer, `SELECT "user".ensure_partition(now())`)
}
