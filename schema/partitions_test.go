package schema_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"logflume/pipeline"
)

// bounds returns the partitions as "name [first, until)".
func bounds(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	return column[string](t, conn, `SELECT format('%s [%s, %s)', name, to_char(lower AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24'),
		to_char(upper AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')) FROM list_partitions()`)
}

func wantBounds(t *testing.T, conn *pgx.Conn, want ...string) {
	t.Helper()
	if got := bounds(t, conn); !slices.Equal(got, want) {
		t.Errorf("partitions\n%q, want\n%q", got, want)
	}
}

// day describes the partition of a day.
func day(d time.Time) string {
	return fmt.Sprintf("log_events_%s [%s 00, %s 00)", d.Format("20060102"), d.Format(time.DateOnly), d.AddDate(0, 0, 1).Format(time.DateOnly))
}

// today returns the day on which the server's transaction runs.
func today(t *testing.T, conn *pgx.Conn) time.Time {
	t.Helper()
	return one[time.Time](t, conn, "SELECT (now() AT TIME ZONE 'UTC')::date")
}

func TestEnsurePartitionOfADay(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	exec(t, conn, "SET timezone = 'Asia/Kolkata'") // the caller's settings do not matter
	exec(t, conn, "SET datestyle = 'SQL, DMY'")    // IST, as times are shown then, is read as Israel's
	d := today(t, conn)
	if !one[bool](t, conn, "SELECT ensure_partition($1)", d.Add(23*time.Hour)) {
		t.Error("made nothing")
	}
	if one[bool](t, conn, "SELECT ensure_partition($1)", d) {
		t.Error("made it twice")
	}
	if n := one[int](t, conn, "SELECT ensure_partitions(ARRAY[$1, $2, $1]::date[])", d, d.AddDate(0, 0, 1)); n != 1 {
		t.Errorf("made %d, want 1", n)
	}
	exec(t, conn, "INSERT INTO log_events (timestamp, source_offset, source_id) VALUES ($1, 0, 1)", d.AddDate(0, 0, 2).Add(-time.Microsecond))
	wantBounds(t, conn, day(d), day(d.AddDate(0, 0, 1)))

	indexes := one[int](t, conn, `SELECT count(*) FROM pg_index x JOIN pg_inherits i ON i.inhrelid = x.indexrelid
		WHERE x.indrelid = $1::regclass AND i.inhparent IN ('log_events_timestamp'::regclass, 'log_events_trace'::regclass, 'log_events_errors'::regclass)`,
		"log_events_"+d.Format("20060102"))
	if indexes != 3 {
		t.Errorf("%d of the 3 indexes are part of the parent's", indexes)
	}
}

func TestEnsurePartitionOfAMonth(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	// The 10th of a month whose last day is old.
	m := today(t, conn).AddDate(0, 0, -pipeline.MonthAge-31)
	m = time.Date(m.Year(), m.Month(), 10, 0, 0, 0, 0, time.UTC)
	first := m.AddDate(0, 0, -9)
	month := fmt.Sprintf("log_events_%s [%s 00, %s 00)", m.Format("200601"), first.Format(time.DateOnly), first.AddDate(0, 1, 0).Format(time.DateOnly))

	exec(t, conn, "SELECT ensure_partition($1)", m)
	if one[bool](t, conn, "SELECT ensure_partition($1)", m.AddDate(0, 0, 5)) {
		t.Error("another day of the month made a partition")
	}
	wantBounds(t, conn, month)

	// A month in which a day has its own partition goes on by days.
	before := m.AddDate(0, -1, 0)
	exec(t, conn, fmt.Sprintf("CREATE TABLE by_hand PARTITION OF log_events FOR VALUES FROM ('%s 00:00Z') TO ('%s 00:00Z')",
		before.Format(time.DateOnly), before.AddDate(0, 0, 1).Format(time.DateOnly)))
	exec(t, conn, "SELECT ensure_partitions(ARRAY[$1]::date[])", before.AddDate(0, 0, 3))
	wantBounds(t, conn, fmt.Sprintf("by_hand [%s 00, %s 00)", before.Format(time.DateOnly), before.AddDate(0, 0, 1).Format(time.DateOnly)),
		day(before.AddDate(0, 0, 3)), month)
}

// TestCalendarAgrees: the writer foresees with pipeline.Calendar which partitions will be made.
func TestCalendarAgrees(t *testing.T) {
	t.Parallel()
	for age, layout := range map[int]string{pipeline.MonthAge - 1: "20060102", pipeline.MonthAge: "200601"} {
		conn := connect(t, migrated(t))
		d := today(t, conn).AddDate(0, 0, -age)
		exec(t, conn, "SELECT ensure_partition($1)", d)
		got := column[string](t, conn, "SELECT name FROM list_partitions()")
		if want := []string{"log_events_" + d.Format(layout)}; !slices.Equal(got, want) {
			t.Errorf("%d days ago: %q, want %q", age, got, want)
		}
	}
}

func TestEnsurePartitionBounds(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	for _, at := range []string{"NULL", "'-infinity'", "'infinity'", "'1999-12-31 23:59:59Z'", "now() + interval '9 days'", "'294276-01-01'"} {
		if got := stateOf(t.Context(), conn, "SELECT ensure_partition("+at+")"); got != "22023" {
			t.Errorf("ensure_partition(%s): %q, want 22023", at, got)
		}
	}
	if got := stateOf(t.Context(), conn, "SELECT ensure_partitions(ARRAY(SELECT current_date - i FROM generate_series(1, 1001) i))"); got != "22023" {
		t.Errorf("1001 days: %q, want 22023", got)
	}
	wantBounds(t, conn)
	exec(t, conn, "SELECT ensure_partitions(ARRAY[]::date[]), ensure_partitions(NULL), ensure_partition('2000-01-01Z'), ensure_partition(now() + interval '7 days')")
	if n := len(bounds(t, conn)); n != 2 {
		t.Errorf("%d partitions, want 2", n)
	}
}

func TestEnsurePartitionBesideOthersWork(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	d := today(t, conn)
	date, next := d.Format(time.DateOnly), d.AddDate(0, 0, 1).Format(time.DateOnly)
	// A name that is taken by a detached table.
	exec(t, conn, "CREATE TABLE log_events_"+d.Format("20060102")+" ()")
	// An hour that has a partition of its own.
	exec(t, conn, fmt.Sprintf("CREATE TABLE hour PARTITION OF log_events FOR VALUES FROM ('%s 10:00Z') TO ('%s 11:00Z')", date, date))
	for _, hour := range []int{3, 10, 20} {
		exec(t, conn, "SELECT ensure_partition($1)", d.Add(time.Duration(hour)*time.Hour))
	}
	name := "log_events_" + d.Format("20060102")
	wantBounds(t, conn, fmt.Sprintf("%s_ [%s 00, %s 10)", name, date, date), fmt.Sprintf("hour [%s 10, %s 11)", date, date),
		fmt.Sprintf("%s__ [%s 11, %s 00)", name, date, next))
}

func TestEnsurePartitionsConcurrently(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	conn := connect(t, db)
	d := today(t, conn)
	made := make([]int, 8)
	group, ctx := errgroup.WithContext(t.Context())
	for i := range made {
		c := connect(t, db)
		group.Go(func() error {
			// Everybody wants overlapping days, in different orders, within one transaction.
			return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
				for j := range 5 {
					var n int
					err := tx.QueryRow(ctx, "SELECT ensure_partitions(ARRAY[$1, $2]::date[])",
						d.AddDate(0, 0, -(i+j)%7), d.AddDate(0, -6, -(i*j)%7)).Scan(&n)
					if err != nil {
						return err
					}
					made[i] += n
				}
				return nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, n := range made {
		sum += n
	}
	if n := len(bounds(t, conn)); n != sum || n < 8 {
		t.Errorf("%d partitions, %d were reported as made, at least 8 were wanted", n, sum)
	}
}

func TestEnsurePartitionBlocksNobody(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	reader, writer, maker, other := connect(t, db), connect(t, db), connect(t, db), connect(t, db)
	for _, c := range []*pgx.Conn{maker, other} {
		exec(t, c, "SET lock_timeout = '3s'") // whoever must wait for a transaction that is left open fails
	}
	exec(t, maker, "SELECT ensure_partition(now())")
	const insert = "INSERT INTO log_events (timestamp, source_offset, source_id) VALUES (now(), 0, 1)"

	exec(t, reader, "BEGIN")
	exec(t, reader, "SELECT count(*) FROM log_events")
	exec(t, writer, "BEGIN")
	exec(t, writer, insert)

	exec(t, maker, "BEGIN")
	if !one[bool](t, maker, "SELECT ensure_partition(now() + interval '1 day')") {
		t.Error("made nothing")
	}
	exec(t, other, insert) // while the new partition is not yet committed
	exec(t, other, "SELECT count(*) FROM log_events")
	exec(t, maker, "COMMIT")
	exec(t, writer, "INSERT INTO log_events (timestamp, source_offset, source_id) VALUES (now() + interval '1 day', 0, 1)")
	exec(t, writer, "COMMIT")
	exec(t, reader, "COMMIT")
	if n := one[int](t, reader, "SELECT count(*) FROM log_events"); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
}
