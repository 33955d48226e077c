package schema_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// halfCompacted returns a schema in which of four hours the first two are rolled up, and got late shares since, the third
// is folded and the last is as it was inserted; with the events that are in it.
func halfCompacted(t *testing.T) (*pgx.Conn, []logged) {
	t.Helper()
	conn := connect(t, migrated(t))
	events := randomEvents(seeded(t), 4000, past, 4)
	insertAll(t, conn, events[:3500], 200)
	for one[bool](t, conn, "SELECT roll_hour($1, 10000)", past.Add(2*time.Hour)) {
	}
	for one[int](t, conn, "SELECT fold_windows($1, 10000)", past.Add(3*time.Hour)) > 0 {
	}
	insertAll(t, conn, events[3500:], 200)
	kinds := column[string](t, conn, `SELECT DISTINCT format('%s %s %s', extract(hour FROM timestamp - $1), window_seconds, rolled)
		FROM log_analytics WHERE timestamp < $1::timestamptz + interval '2 hours' ORDER BY 1`, past)
	want := []string{"-10 86400 t", "0 3600 t", "0 60 f", "0 60 t", "1 3600 t", "1 60 f", "1 60 t"}
	if !slices.Equal(kinds, want) {
		t.Fatalf("kinds of rows %q, want %q", kinds, want)
	}
	return conn, events
}

// ranges are the cases of a range of time: aligned to hours or not, within one hour, at its border, empty, wider than all.
var ranges = []struct{ since, until time.Duration }{
	{0, 4 * time.Hour}, {-10 * time.Hour, 14 * time.Hour}, {-24 * time.Hour, 24 * time.Hour}, {time.Hour, 2 * time.Hour}, {10 * time.Minute, 50 * time.Minute},
	{20 * time.Minute, 80 * time.Minute}, {30 * time.Minute, 3*time.Hour + 17*time.Minute}, {0, time.Hour + time.Minute},
	{59 * time.Minute, time.Hour}, {59 * time.Minute, time.Hour + time.Second}, {90 * time.Second, 3 * time.Hour},
	{2*time.Hour - time.Microsecond, 3 * time.Hour}, {time.Hour, time.Hour}, {2 * time.Hour, time.Hour}, {100 * time.Minute, 90 * time.Minute},
}

// between returns the events whose windows of a minute start in a range.
func between(events []logged, since, until time.Time) []logged {
	return slices.DeleteFunc(slices.Clone(events), func(e logged) bool {
		start := e.at.Truncate(time.Minute)
		return start.Before(since) || !start.Before(until)
	})
}

func TestRangesCountEveryEventOnce(t *testing.T) {
	t.Parallel()
	conn, events := halfCompacted(t)
	for _, r := range ranges {
		since, until := past.Add(r.since), past.Add(r.until)
		in := between(events, since, until)
		for _, rows := range []string{"analytics_between", "rollups_between"} {
			got := one[int](t, conn, "SELECT coalesce(sum((totals ->> 'total_logs')::int), 0) FROM "+rows+"($1, $2)", since, until)
			if got != len(in) {
				t.Errorf("%s from %v to %v: %d events, want %d", rows, r.since, r.until, got, len(in))
			}
		}
		errs := 0
		for _, e := range in {
			if e.pattern != 0 {
				errs++
			}
		}
		if got := one[int](t, conn, "SELECT coalesce(sum(count), 0) FROM top_errors($1, $2, most => 1000)", since, until); got != errs {
			t.Errorf("%v to %v: %d errors, want %d", r.since, r.until, got, errs)
		}
	}
}

// TestDaysCountEveryEventOnce asks for many ranges over several days, of which the last has events that are not rolled up.
func TestDaysCountEveryEventOnce(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	r := seeded(t)
	const hours = 75
	events := randomEvents(r, 1500, past, hours)
	insertAll(t, conn, events[:1300], 300)
	compact(t, conn)
	insertAll(t, conn, events[1300:], 300)
	exec(t, conn, "SELECT roll_hour('infinity', 40)")
	moment := func() time.Time {
		at := past.Add(time.Duration(r.Int64N(int64((hours+60)*time.Hour))) - 30*time.Hour)
		return at.Truncate([]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}[r.IntN(4)])
	}
	for range 200 {
		since, until := moment(), moment()
		want := len(between(events, since, until))
		if got := one[int](t, conn, "SELECT coalesce(sum((totals ->> 'total_logs')::int), 0) FROM rollups_between($1, $2)", since, until); got != want {
			t.Errorf("%v to %v: %d events, want %d", since, until, got, want)
		}
	}
	days := column[string](t, conn, "SELECT DISTINCT (at - '2024-05-01')::text FROM request_rate($1, $2, '1 day') ORDER BY 1", past, past.Add(hours*time.Hour))
	if want := []string{"00:00:00", "1 day", "2 days", "3 days"}; !slices.Equal(days, want) {
		t.Errorf("days %q, want %q", days, want)
	}
}

func TestTopErrors(t *testing.T) {
	t.Parallel()
	conn, events := halfCompacted(t)
	for _, service := range []string{"", "search"} {
		counts := map[int64]int{}
		for _, e := range events {
			if e.pattern != 0 && (service == "" || e.service == service) {
				counts[e.pattern]++
			}
		}
		rows, err := conn.Query(t.Context(), "SELECT pattern_id, count, pattern, first < last, sample <> '', level FROM top_errors($1, $2, nullif($3, ''), 7)",
			past, past.Add(4*time.Hour), service)
		if err != nil {
			t.Fatal(err)
		}
		var id int64
		var count, n int
		var pattern, level string
		var ordered, sampled bool
		last := math.MaxInt
		_, err = pgx.ForEachRow(rows, []any{&id, &count, &pattern, &ordered, &sampled, &level}, func() error {
			n++
			if count != counts[id] || count > last || pattern != fmt.Sprint("pattern ", id) || !ordered || !sampled || level != "ERROR" && level != "CRITICAL" {
				t.Errorf("service %q: pattern %d %q: %d %s after %d, want %d", service, id, pattern, count, level, last, counts[id])
			}
			last = count
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n != 7 {
			t.Errorf("service %q: %d rows, want 7", service, n)
		}
	}
}

// store inserts the requests among events into a table, to compare with what Postgres computes from them.
func store(t *testing.T, conn *pgx.Conn, events []logged) {
	t.Helper()
	var rows [][]any
	for _, e := range events {
		if e.endpoint != "" {
			rows = append(rows, []any{e.at, e.ms, e.service, e.endpoint})
		}
	}
	exec(t, conn, "CREATE TEMPORARY TABLE requests (at timestamptz, ms double precision, service text, endpoint text)")
	_, err := conn.CopyFrom(t.Context(), pgx.Identifier{"requests"}, []string{"at", "ms", "service", "endpoint"}, pgx.CopyFromRows(rows))
	if err != nil {
		t.Fatal(err)
	}
}

func TestLatencyQuantilesAreWithinOnePercent(t *testing.T) {
	t.Parallel()
	conn, events := halfCompacted(t)
	for i := range events { // few endpoints, so that none is in "other", and none as slow as another
		e := &events[i]
		switch {
		case e.endpoint == "":
		case i%2 == 0:
			e.endpoint = "/a"
		case i%15 > 0:
			e.endpoint, e.ms = "/b", 4*e.ms
		default:
			e.endpoint, e.ms = "/rare", 16*e.ms
		}
	}
	events[0].endpoint, events[0].ms = "/zero", 0
	exec(t, conn, "TRUNCATE log_analytics")
	insertAll(t, conn, events, 300)
	exec(t, conn, "SELECT roll_hour($1, 100000)", past.Add(time.Hour))
	store(t, conn, events)

	for _, service := range []string{"", "checkout"} {
		for _, r := range ranges[:8] {
			since, until := past.Add(r.since), past.Add(r.until)
			rows, err := conn.Query(t.Context(), `SELECT q.endpoint, q.quantile, q.requests, q.ms,
				(SELECT count(*) FROM requests r WHERE r.endpoint = q.endpoint AND at >= $1 AND at < $2 AND ($3 = '' OR service = $3)),
				(SELECT percentile_disc(q.quantile) WITHIN GROUP (ORDER BY ms) FROM requests r
				 WHERE r.endpoint = q.endpoint AND at >= $1 AND at < $2 AND ($3 = '' OR service = $3))
				FROM latency_quantiles($1, $2, '{0,0.1,0.5,0.9,0.95,0.99,0.999,1}', nullif($3, '')) q`, since, until, service)
			if err != nil {
				t.Fatal(err)
			}
			var endpoint string
			var quantile, ms, exact float64
			var requests, wantRequests, n int
			_, err = pgx.ForEachRow(rows, []any{&endpoint, &quantile, &requests, &ms, &wantRequests, &exact}, func() error {
				n++
				if requests != wantRequests || math.Abs(ms-exact) > 0.01*exact*(1+1e-9) {
					t.Errorf("%v to %v %q %s p%g: %g ms of %d, want %g ms of %d", r.since, r.until, service, endpoint, quantile*100, ms, requests, exact, wantRequests)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if n < 16 {
				t.Errorf("%v to %v: only %d quantiles", r.since, r.until, n)
			}
		}
	}
	if n := one[int](t, conn, "SELECT count(*) FROM latency_quantiles($1, $2, only_endpoint => '/rare')", past, past.Add(4*time.Hour)); n != 3 {
		t.Errorf("%d quantiles of one endpoint, want 3", n)
	}

	slowest := column[string](t, conn, `SELECT format('%s %s %s %s', endpoint, requests, slow, abs(mean - (SELECT avg(ms) FROM requests r WHERE r.endpoint = s.endpoint)) < 1e-6
		AND max = (SELECT max(ms) FROM requests r WHERE r.endpoint = s.endpoint) AND p50 <= p95 AND p95 <= p99 AND p99 <= max * 1.01)
		FROM slowest_endpoints($1, $2, 2) s`, past, past.Add(4*time.Hour))
	want := column[string](t, conn, `SELECT format('%s %s %s t', endpoint, count(*), count(*) FILTER (WHERE ms > 1000)) FROM requests
		GROUP BY endpoint ORDER BY percentile_disc(0.95) WITHIN GROUP (ORDER BY ms) DESC LIMIT 2`)
	if !slices.Equal(slowest, want) {
		t.Errorf("slowest endpoints %q, want %q", slowest, want)
	}
}

func TestRequestRate(t *testing.T) {
	t.Parallel()
	conn, events := halfCompacted(t)
	type bin struct {
		At      time.Time
		Service string
	}
	type counts struct{ logs, errors, requests, failed, slow int }
	for _, step := range []time.Duration{time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour} {
		since, until := past.Add(30*time.Minute), past.Add(3*time.Hour+15*time.Minute)
		want := map[bin]counts{}
		for _, e := range between(events, since, until) {
			b := bin{e.at.Truncate(step), e.service}
			c := want[b]
			c.logs++
			if e.pattern != 0 {
				c.errors++
			}
			if e.status != 0 {
				c.requests++
			}
			if e.status >= 500 {
				c.failed++
			}
			if e.endpoint != "" && e.ms > 1000 {
				c.slow++
			}
			want[b] = c
		}
		rows, err := conn.Query(t.Context(), `SELECT at, coalesce(service, ''), logs, errors, requests, failed, slow, requests_per_second
			FROM request_rate($1, $2, $3)`, since, until, step)
		if err != nil {
			t.Fatal(err)
		}
		var b bin
		var c counts
		var rate float64
		n := 0
		_, err = pgx.ForEachRow(rows, []any{&b.At, &b.Service, &c.logs, &c.errors, &c.requests, &c.failed, &c.slow, &rate}, func() error {
			n++
			b.At = b.At.UTC()
			if c != want[b] || math.Abs(rate-float64(c.requests)/step.Seconds()) > 1e-9 {
				t.Errorf("step %v, %v: %+v, %g a second, want %+v", step, b, c, rate, want[b])
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n != len(want) {
			t.Errorf("step %v: %d rows, want %d", step, n, len(want))
		}
	}
	if n := one[int](t, conn, "SELECT count(DISTINCT service) FROM request_rate($1, $2, '1 hour', 'search')", past, past.Add(time.Hour)); n != 1 {
		t.Errorf("%d services, want 1", n)
	}
}

func TestUniqueCount(t *testing.T) {
	t.Parallel()
	conn, events := halfCompacted(t)
	distinct := map[uint64]bool{}
	for i := range events {
		events[i].user = uint64(i * i % 7000)
		distinct[events[i].user] = true
	}
	exec(t, conn, "TRUNCATE log_analytics")
	insertAll(t, conn, events, 500)
	exec(t, conn, "SELECT roll_hour($1, 100000)", past.Add(2*time.Hour))
	for _, c := range []struct {
		what string
		want int
	}{{"users", len(distinct)}, {"patterns", 40}} {
		got := one[int](t, conn, "SELECT unique_count($1, $2, $3)", c.what, past, past.Add(4*time.Hour))
		if math.Abs(float64(got-c.want)) > 0.065*float64(c.want) { // four standard errors
			t.Errorf("%s: %d, want about %d", c.what, got, c.want)
		}
	}
	if got := one[int](t, conn, "SELECT unique_count('users', $1, $2)", past.Add(-time.Hour), past); got != 0 {
		t.Errorf("%d users in an empty range", got)
	}
}

func TestHLLEstimate(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	for _, n := range []int{0, 1, 2, 100, 3000, 10_000, 12_000, 20_000, 200_000} {
		hashes := map[uint64]bool{}
		for i := range n {
			hashes[hash(uint64(i+1)<<20)] = true
		}
		got := one[float64](t, conn, "SELECT hll_estimate($1)", sketch(hashes).String())
		if math.Abs(got-float64(n)) > 0.065*float64(n) {
			t.Errorf("%d values: estimate %g", n, got)
		}
	}
}
