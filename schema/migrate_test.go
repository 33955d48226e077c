package schema_test

import (
	"errors"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"logflume/internal/testkit"
	"logflume/schema"
)

func TestMigrateEmptyThenAgain(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	from, to, err := schema.Migrate(t.Context(), db.URL, db.Schema)
	if from != 0 || to != schema.Version || err != nil {
		t.Fatalf("first: %d -> %d, %v", from, to, err)
	}
	from, to, err = schema.Migrate(t.Context(), db.URL, db.Schema)
	if from != schema.Version || to != schema.Version || err != nil {
		t.Fatalf("second: %d -> %d, %v", from, to, err)
	}
	versions := column[int64](t, connect(t, db), "SELECT version FROM log_schema_versions ORDER BY version")
	names, err := filepath.Glob("0*.sql")
	if err != nil {
		t.Fatal(err)
	}
	want := make([]int64, len(names))
	for i, name := range names {
		if want[i], err = strconv.ParseInt(name[:4], 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(versions, want) || versions[len(versions)-1] != schema.Version {
		t.Errorf("versions %v, want %v, the last one %d", versions, want, schema.Version)
	}
}

func TestMigrateConcurrently(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	froms := make([]int64, 8)
	group, ctx := errgroup.WithContext(t.Context())
	for i := range froms {
		group.Go(func() (err error) {
			froms[i], _, err = schema.Migrate(ctx, db.URL, db.Schema)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(froms)
	want := []int64{0}
	for range len(froms) - 1 {
		want = append(want, schema.Version)
	}
	if !slices.Equal(froms, want) {
		t.Errorf("versions found: %v; exactly one should have found none", froms)
	}
}

func TestMigrateTwoSchemasOfOneDatabase(t *testing.T) {
	t.Parallel()
	a, b := migrated(t), migrated(t)
	inA, inB := connect(t, a), connect(t, b)
	for _, conn := range []string{a.Schema, b.Schema} {
		exec(t, inA, "SELECT "+conn+".ensure_partition(now())")
		exec(t, inA, "INSERT INTO "+conn+".log_analytics (timestamp, window_seconds) SELECT '2024-05-01 10:00Z', 60 FROM generate_series(1, 3)")
	}
	exec(t, inA, "SELECT compact()")
	if n := one[int](t, inA, "SELECT count(*) FROM log_analytics"); n != 3 {
		t.Errorf("compacted schema has %d rows, want a minute, an hour and a day", n)
	}
	if n := one[int](t, inB, "SELECT count(*) FROM log_analytics"); n != 3 {
		t.Errorf("the other schema has %d rows, want 3", n)
	}
	exec(t, inB, "DROP SCHEMA "+a.Schema+" CASCADE")
	if err := schema.Check(t.Context(), inB, b.Schema); err != nil {
		t.Error(err)
	}
}

// applied runs the part of Print's output that precedes mark.
func applied(t *testing.T, db testkit.DB, mark string) {
	t.Helper()
	var out strings.Builder
	if err := schema.Print(&out, db.Schema); err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(out.String(), mark)
	if !found {
		t.Fatalf("output of Print has no %q", mark)
	}
	if _, err := db.Connect(t).PgConn().Exec(t.Context(), head+"COMMIT;").ReadAll(); err != nil {
		t.Fatal(err)
	}
}

func TestMigrateGoesOnFromAnOlderVersion(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	applied(t, db, "---------- 0004")
	if err := schema.Check(t.Context(), db.Connect(t), db.Schema); !errors.Is(err, schema.ErrOlder) || !strings.Contains(err.Error(), "logflume migrate") {
		t.Errorf("Check of version 3: %v", err)
	}
	from, to, err := schema.Migrate(t.Context(), db.URL, db.Schema)
	if from != 3 || to != schema.Version || err != nil {
		t.Fatalf("%d -> %d, %v", from, to, err)
	}
	if err := schema.Check(t.Context(), db.Connect(t), db.Schema); err != nil {
		t.Error(err)
	}
}

func TestMigrateRefusesNewer(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	exec(t, connect(t, db), "INSERT INTO log_schema_versions VALUES ($1, 'of the future')", schema.Version+1)
	from, to, err := schema.Migrate(t.Context(), db.URL, db.Schema)
	if !errors.Is(err, schema.ErrNewer) || from != schema.Version+1 || to != from {
		t.Errorf("%d -> %d, %v", from, to, err)
	}
}

func TestMigrateIsAllOrNothing(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	conn := db.Connect(t)
	exec(t, conn, "CREATE SCHEMA "+db.Schema)
	exec(t, conn, "CREATE TABLE "+db.Schema+".log_dead_letters ()")
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); sqlState(err) != "42P07" || !strings.Contains(err.Error(), "0001_tables.sql") {
		t.Fatalf("a table of ours exists already: %v", err)
	}
	if n := one[int](t, conn, "SELECT count(*) FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p')", db.Schema); n != 1 {
		t.Errorf("%d tables, want only the one that was there", n)
	}
}

func TestMigrateRefusesNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "Logs", "1logs", "lo gs", `lo"gs`, "logs;", "läufe", strings.Repeat("a", 64)} {
		// The name is looked at first: nothing listens at that address.
		if _, _, err := schema.Migrate(t.Context(), "host=/nonexistent", name); err == nil || !strings.Contains(err.Error(), "schema name") {
			t.Errorf("%q: %v", name, err)
		}
		if err := schema.Print(&strings.Builder{}, name); err == nil {
			t.Errorf("%q: printed", name)
		}
	}
}

func TestMigrateTakesReservedWordAsName(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	conn := db.Connect(t)
	exec(t, conn, "CREATE DATABASE "+db.Schema)
	later(t, db, "DROP DATABASE "+db.Schema+" WITH (FORCE)")
	url := address(conn, conn.Config().User, conn.Config().Password, db.Schema)
	if _, _, err := schema.Migrate(t.Context(), url, "user"); err != nil {
		t.Fatal(err)
	}
	in := testkit.Connect(t, url)
	if err := schema.Check(t.Context(), in, "user"); err != nil {
		t.Error(err)
	}
	exec(t, in, `SELECT "user".ensure_partition(now()), "user".compact(), "user".drop_expired('30 days')`)
}

func TestObjectsBelongToTheOwnerOfTheSchema(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	conn := db.Connect(t)
	owner := db.Schema + "_Owner"
	exec(t, conn, `CREATE ROLE "`+owner+`"`)
	later(t, db, `DROP OWNED BY "`+owner+`"`, `DROP ROLE "`+owner+`"`)
	exec(t, conn, `CREATE SCHEMA `+db.Schema+` AUTHORIZATION "`+owner+`"`)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	exec(t, conn, "SELECT "+db.Schema+".ensure_partition(now())")
	owners := column[string](t, conn, `
		SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class WHERE relnamespace = $1::regnamespace
		UNION SELECT DISTINCT pg_get_userbyid(proowner)::text FROM pg_proc WHERE pronamespace = $1::regnamespace`, db.Schema)
	if !slices.Equal(owners, []string{owner}) {
		t.Errorf("owners %q, want only %s", owners, owner)
	}
}

func TestPrintAppliesByPsql(t *testing.T) {
	t.Parallel()
	psql, err := osexec.LookPath("psql")
	if err != nil {
		t.Skipf("SKIPPED, so this proves nothing: psql is not installed: %v", err)
	}
	db := testkit.Postgres(t)
	var out strings.Builder
	if err := schema.Print(&out, db.Schema); err != nil {
		t.Fatal(err)
	}
	cmd := osexec.CommandContext(t.Context(), psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", db.URL)
	cmd.Stdin = strings.NewReader(out.String())
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, text)
	}
	if err := schema.Check(t.Context(), db.Connect(t), db.Schema); err != nil {
		t.Error(err)
	}
	if from, to, err := schema.Migrate(t.Context(), db.URL, db.Schema); from != schema.Version || to != from || err != nil {
		t.Errorf("Migrate afterwards: %d -> %d, %v", from, to, err)
	}
}

func TestLongTextIsCompressedByLZ4(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	if !one[bool](t, conn, "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'") {
		t.Skip("SKIPPED: this server is built without lz4")
	}
	exec(t, conn, "SELECT ensure_partition(now())")
	partition := one[string](t, conn, "SELECT name FROM list_partitions()")
	columns := column[string](t, conn, `SELECT DISTINCT attname::text FROM pg_attribute
		WHERE attrelid IN ($1::regclass, 'log_analytics'::regclass, 'log_endpoints'::regclass, 'log_dead_letters'::regclass)
			AND attcompression = 'l' AND NOT attisdropped ORDER BY 1`, partition)
	want := []string{"attrs", "classes", "endpoints", "error_patterns", "exception", "histograms", "message", "packed_tenants", "packed_users", "performance_issues", "raw", "summary"}
	if !slices.Equal(columns, want) {
		t.Errorf("columns %q, want %q", columns, want)
	}
}

func TestMovingAPositionTouchesNoIndex(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	exec(t, conn, "INSERT INTO log_positions (source_key) SELECT format('file:h/1:%s#1', i) FROM generate_series(1, 20) i")
	exec(t, conn, "BEGIN")
	exec(t, conn, `UPDATE log_positions SET position = position + 1, lines = lines + 2, kept = kept + 1, dead = dead + 1, events = events + 1,
		analysed = analysed + 1, bytes = bytes + 1, meta = meta || '{"a": 1}', updated_at = now()`)
	if hot := one[int](t, conn, "SELECT pg_stat_get_xact_tuples_hot_updated('log_positions'::regclass)"); hot != 20 {
		t.Errorf("%d of 20 updates were HOT", hot)
	}
	exec(t, conn, "ROLLBACK")
}

// migratedTo returns a schema at the version before the file of that pattern.
func migratedTo(t *testing.T, pattern string) testkit.DB {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("files %q, %v", files, err)
	}
	db := testkit.Postgres(t)
	applied(t, db, "---------- "+files[0])
	return db
}

// Hours that were rolled up before there were days are in day rows after the upgrade, and later ones come on top.
func TestMigrateMakesDaysOfHours(t *testing.T) {
	t.Parallel()
	db := migratedTo(t, "*_days.sql")
	conn := connect(t, db)
	events := randomEvents(seeded(t), 900, past.Add(10*time.Hour), 8)
	insertAll(t, conn, events[:600], 100)
	compact(t, conn)
	insertAll(t, conn, events[600:], 100)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	wantRows(t, conn, events[:600], 86400)
	compact(t, conn)
	wantRows(t, conn, events, 86400)
	wantRows(t, conn, events, 3600)
}
