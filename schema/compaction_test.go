package schema_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"logflume/internal/testkit"
)

// past is the start of an hour that is closed.
var past = time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)

// seeded returns a source of random numbers and logs how to get the same ones.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// compact compacts until nothing is left to do.
func compact(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for one[bool](t, conn, "SELECT compact()") {
	}
}

// wantTotals compares the totals by pattern, in the table when all is rolled up and in the view always.
func wantTotals(t *testing.T, conn *pgx.Conn, relation string, events []logged) {
	t.Helper()
	want := map[int64]int{}
	for _, e := range events {
		if e.pattern != 0 {
			want[e.pattern]++
		}
	}
	rows, err := conn.Query(t.Context(), "SELECT pattern_id, total FROM "+relation)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int64]int{}
	var id int64
	var total int
	if _, err := pgx.ForEachRow(rows, []any{&id, &total}, func() error { got[id] = total; return nil }); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s: %v, want %v", relation, got, want)
	}
}

// TestCompactionIsExact inserts shares from several sessions while others fold and roll, and compares what comes out
// with the same rows computed from all events at once; then again with events that come after their hours were rolled up.
func TestCompactionIsExact(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	conn := connect(t, db)
	r := seeded(t)
	events := randomEvents(r, 3600, past.Add(13*time.Hour), 2) // of two days
	late := events[3000:]

	insertWhileCompacting(t, db, events[:3000])
	compact(t, conn)
	wantRows(t, conn, events[:3000], 60)
	wantRows(t, conn, events[:3000], 3600)
	wantRows(t, conn, events[:3000], 86400)
	wantTotals(t, conn, "log_pattern_totals", events[:3000])
	wantTotals(t, conn, "error_totals", events[:3000])

	insertAll(t, conn, late, 100)
	wantTotals(t, conn, "error_totals", events) // folded in part, rolled in part
	exec(t, conn, "SELECT fold_windows('infinity', 50)")
	wantTotals(t, conn, "error_totals", events)
	exec(t, conn, "SELECT roll_hour('infinity', 50)")
	wantTotals(t, conn, "error_totals", events)
	compact(t, conn)
	wantRows(t, conn, events, 60)
	wantRows(t, conn, events, 3600)
	wantRows(t, conn, events, 86400)
	wantTotals(t, conn, "log_pattern_totals", events)

	services := one[[]string](t, conn, "SELECT services FROM log_pattern_totals ORDER BY total DESC LIMIT 1")
	if want := []string{"checkout", "search"}; !slices.Equal(services, want) {
		t.Errorf("services of the most frequent pattern: %q, want %q", services, want)
	}
}

// insertWhileCompacting inserts events by three sessions, some of whose transactions are rolled back first, beside three
// that compact and one that watches.
func insertWhileCompacting(t *testing.T, db testkit.DB, events []logged) {
	t.Helper()
	inserted := make(chan struct{})
	others, ctx := errgroup.WithContext(t.Context())
	for _, step := range []string{"SELECT compact(7)", "SELECT fold_windows('infinity', 5)", "SELECT roll_hour('infinity', 9)"} {
		c := connect(t, db)
		others.Go(func() error { return until(inserted, func() error { return discard(c.Exec(ctx, step)) }) })
	}
	watcher := connect(t, db)
	seen := int64(0)
	others.Go(func() error { return until(inserted, func() error { return watch(ctx, watcher, &seen) }) })

	inserters, insertCtx := errgroup.WithContext(t.Context())
	for part := range slices.Chunk(events, (len(events)+2)/3) {
		c := connect(t, db)
		inserters.Go(func() error {
			for segment := range slices.Chunk(part, 50) {
				if err := insertSegment(insertCtx, c, segment); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := inserters.Wait()
	close(inserted)
	if err := errors.Join(err, others.Wait()); err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("the watcher saw nothing")
	}
}

var errUndo = errors.New("roll back")

// insertSegment inserts the shares of a segment in one transaction, after one that is rolled back.
func insertSegment(ctx context.Context, c *pgx.Conn, segment []logged) error {
	for _, end := range []error{errUndo, nil} {
		err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			var batch pgx.Batch
			if err := insertShares(&batch, segment, 60); err != nil {
				return err
			}
			return errors.Join(tx.SendBatch(ctx, &batch).Close(), end)
		})
		if err != nil && !errors.Is(err, errUndo) {
			return err
		}
	}
	return nil
}

// watch checks that all ways to count give the same, and no less than before.
func watch(ctx context.Context, c *pgx.Conn, seen *int64) error {
	var minutes, hours, days int64
	err := c.QueryRow(ctx, `SELECT coalesce(sum((summary ->> 'total_logs')::bigint) FILTER (WHERE window_seconds < 3600), 0)::bigint,
		coalesce(sum((summary ->> 'total_logs')::bigint) FILTER (WHERE window_seconds = 3600 OR NOT rolled), 0)::bigint,
		coalesce(sum((totals ->> 'total_logs')::bigint) FILTER (WHERE window_seconds = 86400 OR NOT rolled), 0)::bigint
		FROM log_analytics`).Scan(&minutes, &hours, &days)
	switch {
	case err != nil:
		return err
	case minutes != hours || minutes != days:
		return errors.New("minute rows, hour rows and day rows count differently")
	case minutes < *seen:
		return errors.New("events vanished")
	}
	*seen = minutes
	return nil
}

// until repeats f until done is closed, at least once.
func until(done <-chan struct{}, f func() error) error {
	for {
		if err := f(); err != nil {
			return err
		}
		select {
		case <-done:
			return nil
		default:
		}
	}
}

func discard[T any](_ T, err error) error { return err }

func TestOneCompactorAtATime(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	a, b := connect(t, db), connect(t, db)
	insertAll(t, a, randomEvents(seeded(t), 300, past, 1), 10)
	exec(t, a, "BEGIN")
	exec(t, a, "SELECT roll_hour(now(), 10)")
	before := one[int](t, b, "SELECT count(*) FROM log_analytics")
	if one[bool](t, b, "SELECT compact()") || one[bool](t, b, "SELECT roll_hour(now(), 10)") || one[int](t, b, "SELECT fold_windows(now(), 10)") != 0 {
		t.Error("a second compactor reports work")
	}
	if after := one[int](t, b, "SELECT count(*) FROM log_analytics"); after != before {
		t.Errorf("a second compactor left %d rows of %d", after, before)
	}
	exec(t, a, "COMMIT")
	if !one[bool](t, b, "SELECT compact(100)") {
		t.Error("no more to do, though there are more than a hundred shares")
	}
}

func TestOpenWindowsAreLeftAlone(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	events := randomEvents(seeded(t), 200, past, 1)
	insertAll(t, conn, events, 10)
	shares := column[int64](t, conn, "SELECT share FROM log_analytics ORDER BY share")
	minute := past.Add(30 * time.Minute)

	// Of an open hour nothing is rolled up, and windows that end later are not folded.
	if one[bool](t, conn, "SELECT roll_hour($1, 1000)", past.Add(time.Hour-time.Microsecond)) {
		t.Error("rolled up an open hour")
	}
	for one[int](t, conn, "SELECT fold_windows($1, 20)", minute.Add(-time.Second)) > 0 {
	}
	open := past.Add(29 * time.Minute)
	left := one[int](t, conn, "SELECT count(*) FROM log_analytics WHERE share = ANY ($1) AND timestamp >= $2", shares, open)
	want := 0
	for segment := range slices.Chunk(events, 10) {
		for w := range byWindow(segment, 60) {
			if !w.At.Before(open) {
				want++
			}
		}
	}
	if left != want {
		t.Errorf("%d of %d open shares are left", left, want)
	}
	folded := one[int](t, conn, "SELECT coalesce(max(n), 0) FROM (SELECT count(*) n FROM log_analytics WHERE timestamp < $1 GROUP BY timestamp, service) s", open)
	if folded != 1 {
		t.Errorf("up to %d rows for a closed window, want 1", folded)
	}

	// A window that ended a minute ago is open yet for compact.
	exec(t, conn, "DELETE FROM log_analytics")
	exec(t, conn, "INSERT INTO log_analytics (timestamp, window_seconds) SELECT date_trunc('minute', now()) - interval '2 minutes', 60 FROM generate_series(1, 3)")
	exec(t, conn, "BEGIN") // now() stands still
	compact(t, conn)
	if n := one[int](t, conn, "SELECT count(*) FROM log_analytics"); n != 3 {
		t.Errorf("%d rows, want the 3 shares of an open window", n)
	}
	exec(t, conn, "ROLLBACK")
}

// TestHoursTakeTurns: an hour that gets new shares all the time must not keep the others waiting.
func TestHoursTakeTurns(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	insert := func(at time.Time) {
		exec(t, conn, "INSERT INTO log_analytics (timestamp, window_seconds) VALUES ($1, 60)", at)
	}
	insert(past)
	insert(past.Add(time.Hour))
	for range 2 {
		exec(t, conn, "SELECT compact()")
		insert(past)
	}
	if n := one[int](t, conn, "SELECT count(*) FROM log_analytics WHERE NOT rolled AND timestamp = $1", past.Add(time.Hour)); n != 0 {
		t.Error("the second hour still waits after two steps")
	}
}

// TestManyPatterns: hour rows list a thousand patterns, minute rows and totals all, and no error is lost.
func TestManyPatterns(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	r := seeded(t)
	events := randomEvents(r, 4000, past, 1)
	for i := range events {
		events[i].service, events[i].level, events[i].pattern = "s", "ERROR", int64(hash(uint64(1+i%1500)))
		if i < 1600 {
			events[i].pattern = int64(hash(uint64(1 + i%8))) // eight frequent ones
		}
	}
	insertAll(t, conn, events[:3500], 500)
	compact(t, conn)
	insertAll(t, conn, events[3500:], 500)
	compact(t, conn)

	wantRows(t, conn, events, 60)
	wantTotals(t, conn, "log_pattern_totals", events)
	distinct := map[int64]bool{}
	for _, e := range events {
		distinct[e.pattern] = true
	}
	var listed, counted, errs, rest, unique, top int
	err := conn.QueryRow(t.Context(), `SELECT jsonb_array_length(error_patterns), (SELECT sum((p ->> 'count')::int) FROM jsonb_array_elements(error_patterns) p),
		(summary ->> 'total_errors')::int, (summary ->> 'rest_errors')::int, (summary ->> 'unique_patterns')::int, (error_patterns -> 0 ->> 'count')::int
		FROM log_analytics WHERE window_seconds = 3600`).Scan(&listed, &counted, &errs, &rest, &unique, &top)
	if err != nil {
		t.Fatal(err)
	}
	if listed != 1000 || errs != len(events) || counted+rest != errs || top < 200 {
		t.Errorf("%d patterns listed, %d + %d of %d errors, the most frequent %d times", listed, counted, rest, errs, top)
	}
	if n := len(distinct); unique < n*95/100 || unique > n*105/100 {
		t.Errorf("unique_patterns %d, want about %d", unique, n)
	}
}

// TestUnknownMembersMerge: writers of a later version may add members.
func TestUnknownMembersMerge(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	for _, s := range []string{`{"a": 1, "b": {"x": 1, "y": 2}, "c": "65", "d": null, "users": null, "tenants": "65 130", "latency": {}}`,
		`{"a": 2.5, "b": {"y": 3}, "c": [66], "tenants": "66 200", "patterns": ""}`, `{}`} {
		exec(t, conn, "INSERT INTO log_analytics (timestamp, window_seconds, summary) VALUES ($1, 60, $2)", past, s)
	}
	compact(t, conn)
	got := one[string](t, conn, "SELECT (summary - 'rest_errors' - 'unique_patterns')::text FROM log_analytics WHERE window_seconds = 3600")
	if want := `{"a": 3.5, "b": {"x": 1, "y": 5}, "latency": {}, "tenants": "66 130 200", "patterns": ""}`; got != want {
		t.Errorf("merged to %s, want %s", got, want)
	}
}

func TestSharesMustHaveTheirShape(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	for _, values := range []string{
		"60, false, 'null', '[]', '{}'", "60, false, '[]', '{}', '{}'", "60, false, '[]', '[]', '[]'",
		"0, false, '[]', '[]', '{}'", "7, false, '[]', '[]', '{}'", "3600, false, '[]', '[]', '{}'", "7200, false, '[]', '[]', '{}'",
	} {
		got := stateOf(t.Context(), conn, `INSERT INTO log_analytics (timestamp, window_seconds, rolled, error_patterns, performance_issues, summary)
			VALUES (now(), `+values+`)`)
		if got != "23514" {
			t.Errorf("%s: %q, want 23514", values, got)
		}
	}
}

func TestLedgerMustBalance(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	exec(t, conn, "INSERT INTO log_positions (source_key) VALUES ('file:h/1:1#1')")
	if got := stateOf(t.Context(), conn, "UPDATE log_positions SET lines = 3, kept = 1, filtered = 1"); got != "23514" {
		t.Errorf("unbalanced ledger: %q, want 23514", got)
	}
	if got := stateOf(t.Context(), conn, "INSERT INTO log_positions (source_key) VALUES ('file:h/1:1#1')"); got != "23505" {
		t.Errorf("second row of a key: %q, want 23505", got)
	}
}
