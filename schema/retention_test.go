package schema_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// dropAll calls drop_expired until nothing is left to do and returns what it named.
func dropAll(t *testing.T, conn *pgx.Conn, keep string) []string {
	t.Helper()
	var dropped []string
	for {
		name := one[*string](t, conn, "SELECT drop_expired($1)", keep)
		if name == nil {
			return dropped
		}
		dropped = append(dropped, *name)
	}
}

func TestDropExpiredPartitions(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	exec(t, conn, "SELECT ensure_partitions(ARRAY(SELECT (now() AT TIME ZONE 'UTC')::date - i FROM generate_series(0, 12) i))")
	exec(t, conn, "SELECT ensure_partition('2020-02-29')")
	names := column[string](t, conn, "SELECT name FROM list_partitions()") // from the oldest to the youngest

	// Of the day that ends less than ten days ago, nothing goes.
	want := []string{"log_events_202002", names[1], names[2]}
	if got := dropAll(t, conn, "10 days"); !slices.Equal(got, want) {
		t.Errorf("dropped %q, want %q", got, want)
	}
	if got := column[string](t, conn, "SELECT name FROM list_partitions()"); !slices.Equal(got, names[3:]) {
		t.Errorf("left %q, want %q", got, names[3:])
	}
	for _, keep := range []string{"'23 hours'", "'-1 days'", "NULL", "'3 days', '2 days'"} {
		if got := stateOf(t.Context(), conn, "SELECT drop_expired("+keep+")"); got != "22023" {
			t.Errorf("keep %s: %q, want 22023", keep, got)
		}
	}
}

func TestDropExpiredGivesWay(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	conn, reader, second := connect(t, db), connect(t, db), connect(t, db)
	exec(t, conn, "SELECT ensure_partition('2020-02-29'), ensure_partition(now())")
	exec(t, reader, "BEGIN")
	exec(t, reader, "SELECT count(*) FROM log_events")
	if got := stateOf(t.Context(), conn, "SELECT drop_expired('30 days')"); got != "55P03" {
		t.Errorf("beside a reader: %q, want 55P03", got)
	}
	exec(t, second, "SET lock_timeout = '3s'")
	exec(t, second, "INSERT INTO log_events (timestamp, source_offset, source_id) VALUES (now(), 0, 1)")
	exec(t, reader, "COMMIT")

	exec(t, conn, "BEGIN")
	if got := one[string](t, conn, "SELECT drop_expired('30 days')"); got != "log_events_202002" {
		t.Errorf("dropped %s", got)
	}
	if got := one[string](t, conn, "SHOW lock_timeout"); got != "0" {
		t.Errorf("the caller's lock_timeout became %s", got)
	}
	if got := one[*string](t, second, "SELECT drop_expired('30 days')"); got != nil {
		t.Errorf("two at the same time: the second dropped %s", *got)
	}
	exec(t, conn, "COMMIT")
	if got := one[int](t, second, "SELECT count(*) FROM log_events"); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func TestDropExpiredTrimsTheOtherTables(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	exec(t, conn, `INSERT INTO log_analytics (timestamp, window_seconds, rolled, service)
		SELECT date_trunc('hour', now()) - age::interval, width, rolled, name FROM (VALUES
			('40 days', 60, true, 'old minute'), ('8 days', 60, true, 'week-old minute'), ('6 days', 60, true, 'kept: minute'),
			('40 days', 60, false, 'kept: not rolled'), ('40 days', 3600, true, 'old hour'), ('29 days', 3600, true, 'kept: hour'),
			('40 days', 86400, true, 'old day'), ('29 days', 86400, true, 'kept: day')) v (age, width, rolled, name)`)
	exec(t, conn, `INSERT INTO log_dead_letters (received_at, source_id, source_offset, reason, raw, length)
		SELECT now() - make_interval(days => d), d, 0, 'json', 'x', 1 FROM unnest(ARRAY[31, 29]) d`)
	exec(t, conn, `INSERT INTO log_instances (instance, host, version, seen_at)
		VALUES ('old', 'h', 'v', now() - interval '31 days'), ('new', 'h', 'v', now())`)
	if got := dropAll(t, conn, "30 days"); len(got) > 0 {
		t.Errorf("dropped %q", got)
	}
	if got, want := column[string](t, conn, "SELECT service FROM log_analytics ORDER BY 1"), []string{"kept: day", "kept: hour", "kept: minute", "kept: not rolled"}; !slices.Equal(got, want) {
		t.Errorf("windows left: %q, want %q", got, want)
	}
	if got := column[int](t, conn, "SELECT source_id FROM log_dead_letters"); !slices.Equal(got, []int{29}) {
		t.Errorf("dead letters left: %v, want 29", got)
	}
	if got := column[string](t, conn, "SELECT instance FROM log_instances"); !slices.Equal(got, []string{"new"}) {
		t.Errorf("instances left: %q", got)
	}

	// More than one call's share.
	exec(t, conn, `INSERT INTO log_analytics (timestamp, window_seconds, rolled) SELECT now() - interval '8 days', 60, true FROM generate_series(1, 10001)`)
	if got := dropAll(t, conn, "3 days"); !slices.Equal(got, []string{"log_analytics"}) {
		t.Errorf("named %q, want log_analytics once", got)
	}
	if n := one[int](t, conn, "SELECT count(*) FROM log_analytics WHERE service IS NULL"); n != 0 {
		t.Errorf("%d left", n)
	}
}

// Events go, and what the windows say of them stays.
func TestWindowsCanBeKeptLonger(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	exec(t, conn, "SELECT ensure_partition(now() - interval '35 days')")
	exec(t, conn, `INSERT INTO log_analytics (timestamp, window_seconds, rolled, service)
		SELECT date_trunc('hour', now()) - age::interval, width, true, name FROM (VALUES
			('40 days', 60, 'minute'), ('89 days', 3600, 'kept: hour'), ('91 days', 3600, 'hour'),
			('89 days', 86400, 'kept: day'), ('92 days', 86400, 'day')) v (age, width, name)`)
	part := one[string](t, conn, "SELECT name FROM list_partitions() ORDER BY upper LIMIT 1")
	if got := one[*string](t, conn, "SELECT drop_expired('30 days', '90 days')"); got == nil || *got != part {
		t.Errorf("dropped %v, want %s", got, part)
	}
	if got := one[*string](t, conn, "SELECT drop_expired('30 days', '90 days')"); got != nil {
		t.Errorf("named %s", *got)
	}
	want := []string{"kept: day", "kept: hour"}
	if got := column[string](t, conn, "SELECT service FROM log_analytics ORDER BY 1"); !slices.Equal(got, want) {
		t.Errorf("windows left: %q, want %q", got, want)
	}
}

func TestDropExpiredFoldsFinishedPositions(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	insert := func(key, meta, age string, lines int) {
		exec(t, conn, `INSERT INTO log_positions (source_key, position, lines, kept, filtered, dead, events, analysed, bytes, lost_bytes, meta, updated_at)
			SELECT $1, 7, n, n - 2, 1, 1, n * 10, n * 20, n * 30, n * 40, $3, now() - $4::interval FROM CAST($2 AS integer) n`, key, lines, meta, age)
	}
	const closed = `{"closed": true, "path": "/x"}`
	insert("file:a/1:1#1", closed, "40 days", 10)
	insert("file:a/1:1#2", closed, "70 days", 20)
	insert("file:b/c/1:9#1", closed, "40 days", 5)
	insert("file:a/1:2#1", `{"closed": false}`, "40 days", 3) // not finished
	insert("file:a/1:3#1", `{}`, "40 days", 3)                // not finished
	insert("file:a/1:4#1", closed, "25 days", 3)              // its youngest event may be of the day after
	insert("kafka:c/t/0", `{"topic": "t"}`, "40 days", 3)     // no file
	keys := func() string {
		return strings.Join(column[string](t, conn, "SELECT format('%s %s', source_key, lines) FROM log_positions ORDER BY source_key"), ", ")
	}
	exec(t, conn, fmt.Sprintf("CREATE TABLE long PARTITION OF log_events FOR VALUES FROM ('%s') TO ('%s')",
		today(t, conn).AddDate(0, 0, -60).Format(time.RFC3339), today(t, conn).AddDate(0, 0, -25).Format(time.RFC3339)))

	// Rows of the files closed 40 days ago may be in a partition that is not expired yet.
	if got := dropAll(t, conn, "30 days"); len(got) > 0 {
		t.Errorf("dropped %q", got)
	}
	want := "file:a/1:1#1 10, file:a/1:2#1 3, file:a/1:3#1 3, file:a/1:4#1 3, file:b/c/1:9#1 5, folded:a 20, kafka:c/t/0 3"
	if got := keys(); got != want {
		t.Errorf("partition still there:\n%s, want\n%s", got, want)
	}
	if got := dropAll(t, conn, "24 days"); !slices.Equal(got, []string{"long"}) {
		t.Errorf("dropped %q, want long", got)
	}
	want = "file:a/1:2#1 3, file:a/1:3#1 3, file:a/1:4#1 3, folded:a 30, folded:b/c 5, kafka:c/t/0 3"
	if got := keys(); got != want {
		t.Errorf("partition dropped:\n%s, want\n%s", got, want)
	}
	got := one[string](t, conn, `SELECT format('%s %s %s %s %s %s %s %s %s %s', position, kept, filtered, dead, events, analysed,
		bytes, lost_bytes, balanced, closed) FROM source_ledger WHERE source_key = 'folded:a'`)
	if want := "0 26 2 2 300 600 900 1200 t t"; got != want {
		t.Errorf("folded row %s, want %s", got, want)
	}
	if n := one[int](t, conn, "SELECT (meta ->> 'sources')::int FROM log_positions WHERE source_key = 'folded:a'"); n != 2 {
		t.Errorf("folded row stands for %d sources, want 2", n)
	}
}
