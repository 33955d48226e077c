package schema_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/schema"
)

var blockWidths = []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 6 * 24 * time.Hour}

// wantBlocks compares the blocks of all widths with those computed from all events.
func wantBlocks(t *testing.T, conn *pgx.Conn, events []logged) {
	t.Helper()
	type block struct {
		at      time.Time
		service string
	}
	for _, width := range blockWidths {
		times := map[block]map[string][]float64{}
		for _, e := range events {
			if e.endpoint == "" {
				continue
			}
			b := block{e.at.Truncate(width), e.service}
			if times[b] == nil {
				times[b] = map[string][]float64{}
			}
			times[b][e.endpoint] = append(times[b][e.endpoint], e.ms)
		}
		seconds := int(width.Seconds())
		if n := one[int](t, conn, "SELECT count(*) FROM log_endpoints WHERE window_seconds = $1", seconds); n != len(times) {
			t.Errorf("%d blocks of %v, want %d", n, width, len(times))
		}
		wrong := 0
		for b, in := range times {
			latency, err := json.Marshal(latencyOf(in))
			if err != nil {
				t.Fatal(err)
			}
			got := one[string](t, conn, `SELECT coalesce(min(d), 'no row') FROM (
				SELECT concat_ws(', ', CASE WHEN b.endpoints IS DISTINCT FROM p.endpoints THEN 'endpoints' END,
					CASE WHEN b.histograms IS DISTINCT FROM p.histograms THEN 'histograms' END,
					CASE WHEN b.hashes IS DISTINCT FROM ARRAY(SELECT (e.value ->> 'h')::bigint FROM jsonb_each($4) e ORDER BY e.key) THEN 'hashes' END,
					CASE WHEN b.requests IS DISTINCT FROM ARRAY(SELECT (e.value ->> 'n')::bigint FROM jsonb_each($4) e ORDER BY e.key) THEN 'requests' END,
					CASE WHEN b.slow IS DISTINCT FROM ARRAY(SELECT (e.value ->> 'slow')::bigint FROM jsonb_each($4) e ORDER BY e.key) THEN 'slow' END,
					CASE WHEN b.classes IS DISTINCT FROM CASE WHEN $1 > 600 THEN
						ARRAY(SELECT latency_classes(h) FROM unnest(p.histograms) WITH ORDINALITY u (h, i) ORDER BY u.i) END THEN 'classes' END,
					CASE WHEN b.max_ms IS DISTINCT FROM ARRAY(SELECT (e.value ->> 'max')::numeric FROM jsonb_each($4) e ORDER BY e.key) THEN 'max_ms' END,
					CASE WHEN ARRAY(SELECT round(x, 5) FROM unnest(b.total_ms) x) IS DISTINCT FROM
						ARRAY(SELECT round((e.value ->> 'sum')::numeric, 5) FROM jsonb_each($4) e ORDER BY e.key) THEN 'total_ms' END) AS d
				FROM log_endpoints b CROSS JOIN pack_endpoints($4) p
				WHERE b.window_seconds = $1 AND b.timestamp = $2 AND b.service IS NOT DISTINCT FROM nullif($3, '')) x`,
				seconds, b.at, b.service, string(latency))
			if got != "" && wrong < 3 {
				wrong++
				t.Errorf("block of %v at %v, service %q: wrong are %s", width, b.at, b.service, got)
			}
		}
	}
}

// TestBlocksAreExact fills blocks beside inserters and other compactors, then with late events.
func TestBlocksAreExact(t *testing.T) {
	t.Parallel()
	db := migrated(t)
	conn := connect(t, db)
	events := randomEvents(seeded(t), 2400, past.Add(13*time.Hour), 2) // of two days
	insertWhileCompacting(t, db, events[:2000])
	compact(t, conn)
	wantBlocks(t, conn, events[:2000])
	insertAll(t, conn, events[2000:], 100)
	exec(t, conn, "SELECT fold_windows('infinity', 50), fill_blocks('infinity', 30), fold_windows('infinity', 50), roll_hour('infinity', 60)")
	compact(t, conn)
	wantBlocks(t, conn, events)
	if n := one[int](t, conn, "SELECT count(*) FROM log_analytics WHERE NOT in_blocks OR window_seconds < 3600 AND endpoints IS NULL"); n != 0 {
		t.Errorf("%d rows are not in blocks, or not packed", n)
	}
	wantRows(t, conn, events, 60)
	exec(t, conn, "BEGIN")
	exec(t, conn, "TRUNCATE log_analytics, log_endpoints")
	exec(t, conn, "ROLLBACK")
	exec(t, conn, "TRUNCATE log_analytics")
	if n := one[int](t, conn, "SELECT count(*) FROM log_endpoints"); n != 0 {
		t.Errorf("%d blocks of nothing", n)
	}
}

// TestHistogramsCountEveryRequestOnce asks for many ranges over eight days, to the present and beyond, of which some hours
// are rolled up, some are in blocks, some are folded, and some are as they were inserted.
func TestHistogramsCountEveryRequestOnce(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	r := seeded(t)
	const hours = 8 * 24
	events := randomEvents(r, 1500, past, hours)
	for i := range events {
		if events[i].service == "search" && events[i].endpoint != "" { // fewer than blocks tell apart, unlike the other services
			events[i].endpoint = fmt.Sprintf("/search/%d", r.IntN(30))
		}
	}
	insertAll(t, conn, events[:1300], 300)
	last := past.Add(hours * time.Hour)
	for one[bool](t, conn, "SELECT roll_hour($1, 10000)", last.Add(-30*time.Hour)) {
	}
	insertAll(t, conn, events[1300:], 300)
	exec(t, conn, "SELECT fold_windows($1, 1000), fill_blocks($2, 100000)", last.Add(-20*time.Hour), last.Add(-10*time.Hour))
	moment := func() time.Time {
		at := past.Add(time.Duration(r.Int64N(int64((hours+60)*time.Hour))) - 30*time.Hour)
		return at.Truncate([]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}[r.IntN(4)])
	}
	for i := range 150 {
		since, until := moment(), moment()
		if i%3 == 0 {
			until = last.Add(time.Duration(r.Int64N(int64(40*time.Hour))) - 20*time.Hour)
		}
		want := 0
		buckets := map[string][]int{}
		for _, e := range between(events, since, until) {
			if e.endpoint != "" {
				want++
			}
			if e.endpoint != "" && e.service == "search" {
				buckets[e.endpoint] = append(buckets[e.endpoint], bucket(e.ms))
			}
		}
		var wanted []string
		for endpoint, in := range buckets {
			slices.Sort(in)
			wanted = append(wanted, fmt.Sprintf("%s: median of %d is %d", endpoint, len(in), in[(len(in)-1)/2]))
		}
		got := column[string](t, conn, `SELECT format('%s: median of %s is %s', h.endpoint, b.requests, b.buckets[1])
			FROM histograms_between($1, $2, 'search') h CROSS JOIN latency_buckets(h.histogram, '{0.5}') b`, since, until)
		slices.Sort(wanted)
		slices.Sort(got)
		if !slices.Equal(got, wanted) {
			t.Errorf("from %v to %v: %q, want %q", since, until, got, wanted)
		}
		if got := one[int](t, conn, "SELECT coalesce(sum(latency_above(histogram)), 0) FROM histograms_between($1, $2)", since, until); got != want {
			t.Errorf("histograms from %v to %v: %d requests, want %d", since, until, got, want)
		}
		if got := one[int](t, conn, "SELECT coalesce(sum(requests), 0) FROM endpoints_between($1, $2)", since, until); got != want {
			t.Errorf("endpoints from %v to %v: %d requests, want %d", since, until, got, want)
		}
	}
}

// TestLatencyBuckets compares with percentile_disc over the numbers of buckets themselves.
func TestLatencyBuckets(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	r := seeded(t)
	for range 60 {
		span := []int{1, 3, 40, 700}[r.IntN(4)]
		first := r.IntN(900) - 450
		counts := map[int]int64{}
		for range 1 + r.IntN(30) {
			counts[first+r.IntN(span)] += []int64{1, 2, 17, 10_000, 123_456, 100_000_000, 20_000_000_000}[r.IntN(7)]
		}
		if r.IntN(4) == 0 {
			counts[math.MinInt32] = 10_000
		}
		var k []int32
		var c []int64
		for bucket, n := range counts {
			k, c = append(k, int32(bucket)), append(c, n)
		}
		got := one[string](t, conn, `SELECT coalesce(string_agg(format('p%s: bucket %s, %s above of %s, want %s, %s, %s', q, got.buckets[i], got.above[i], got.requests, want.k, want.above, n.n), '; '), '')
			FROM (SELECT cumulate(sum((c || 'e' || bucket_place(k))::numeric)) AS h, sum(c) AS n FROM unnest($1::integer[], $2::bigint[]) b (k, c)) n
			CROSS JOIN unnest(ARRAY[0, 0.001, 0.25, 0.5, 0.95, 0.999, 1]) WITH ORDINALITY q (q, i)
			CROSS JOIN latency_buckets(n.h, ARRAY[0, 0.001, 0.25, 0.5, 0.95, 0.999, 1]) got
			CROSS JOIN LATERAL (SELECT k, above FROM (
				SELECT k, sum(c) OVER (ORDER BY k) AS rank, sum(c) OVER () - sum(c) OVER (ORDER BY k) AS above FROM unnest($1::integer[], $2::bigint[]) b (k, c)) x
				WHERE rank >= q * n ORDER BY k LIMIT 1) want
			WHERE (got.buckets[i], got.above[i], got.requests, latency_above(n.h, want.k), latency_above(n.h))
				IS DISTINCT FROM (want.k, want.above::bigint, n.n::bigint, want.above::bigint, n.n::bigint)`, k, c)
		if got != "" {
			t.Errorf("buckets %v, counts %v: %s", k, c, got)
		}
		// A class ends with bucket 8c - 1400.
		if n := one[int](t, conn, `SELECT count(*)
			FROM (SELECT cumulate(sum((c || 'e' || bucket_place(k))::numeric)) AS h FROM unnest($1::integer[], $2::bigint[]) b (k, c)) x
			CROSS JOIN generate_series(45, 300) class
			WHERE latency_above(latency_classes(x.h), class) <> latency_above(x.h, 8 * class - 1400)
			   OR latency_above(latency_classes(x.h)) <> latency_above(x.h)`, k, c); n != 0 {
			t.Errorf("buckets %v, counts %v: %d classes are wrong", k, c, n)
		}
	}
	if one[bool](t, conn, "SELECT latency_bucket(NULL, 0.5) IS NOT NULL OR (latency_buckets(NULL, '{0.5}')).requests IS NOT NULL") {
		t.Error("quantiles of nothing")
	}
}

// Rows that were there before there were blocks are in them after the upgrade, also hours and days whose minutes are gone.
func TestMigrateMakesBlocks(t *testing.T) {
	t.Parallel()
	for _, minutes := range []bool{true, false} {
		t.Run(fmt.Sprintf("minutes=%t", minutes), func(t *testing.T) {
			t.Parallel()
			db := migratedTo(t, "*_blocks.sql")
			conn := connect(t, db)
			events := randomEvents(seeded(t), 900, past.Add(10*time.Hour), 8)
			insertAll(t, conn, events[:600], 100)
			compact(t, conn)
			insertAll(t, conn, events[600:], 100)
			exec(t, conn, "SELECT fold_windows('infinity', 100)")
			if !minutes {
				exec(t, conn, "DELETE FROM log_analytics WHERE rolled AND window_seconds < 3600")
			}
			if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
				t.Fatal(err)
			}
			count := func() int {
				return one[int](t, conn, "SELECT sum(latency_above(histogram)) FROM histograms_between($1, $2)", past, past.Add(48*time.Hour))
			}
			want := one[int](t, conn, "SELECT sum((totals ->> 'requests')::int) FROM log_analytics WHERE window_seconds = 86400 OR NOT rolled")
			if got := count(); got != want {
				t.Errorf("%d requests after the upgrade, want %d", got, want)
			}
			if minutes {
				wantBlocks(t, conn, events[:600])
			}
			if n := one[int](t, conn, `SELECT count(*) FROM log_analytics a CROSS JOIN pack_endpoints(a.summary -> 'latency') p
				WHERE a.endpoints IS NOT NULL AND a.histograms IS DISTINCT FROM p.histograms
				   OR a.packed_overall IS NOT NULL AND a.packed_overall IS DISTINCT FROM p.overall`); n != 0 {
				t.Errorf("histograms of %d rows are not what is packed now", n)
			}
			compact(t, conn)
			if minutes {
				wantBlocks(t, conn, events)
				wantRows(t, conn, events, 60)
			}
			if got := count(); got != want {
				t.Errorf("%d requests after compaction, want %d", got, want)
			}
			wantRows(t, conn, events, 3600)
		})
	}
}

// Blocks are kept as long as wider ones are that they may be subtracted from: of the six days in which the retention ends, and of
// the hour in which that of minutes does.
func TestDropExpiredTrimsBlocks(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	exec(t, conn, `INSERT INTO log_endpoints (timestamp, window_seconds, service, endpoints, hashes, requests, slow, total_ms, max_ms, histograms)
		SELECT block_start(v.kept, v.within) + make_interval(secs => v.after), v.width, v.width || CASE WHEN v.after < 0 THEN ' before' ELSE ' after' END,
			'{}', '{}', '{}', '{}', '{}', '{}', '{}'
		FROM (VALUES
			(now() - interval '7 days', 3600, -600, 600), (now() - interval '7 days', 3600, 0, 600),
			(now() - interval '30 days', 518400, -3600, 3600), (now() - interval '30 days', 518400, 0, 3600),
			(now() - interval '30 days', 518400, -21600, 21600), (now() - interval '30 days', 518400, 0, 21600),
			(now() - interval '30 days', 518400, -86400, 86400), (now() - interval '30 days', 518400, 0, 86400),
			(now() - interval '30 days', 518400, -518400, 518400), (now() - interval '30 days', 518400, 0, 518400)
		) v (kept, within, after, width)`)
	dropAll(t, conn, "30 days")
	got := one[string](t, conn, "SELECT string_agg(service, ', ' ORDER BY window_seconds, service) FROM log_endpoints")
	if want := "600 after, 3600 after, 21600 after, 86400 after, 518400 after"; got != want {
		t.Errorf("blocks left: %s, want %s", got, want)
	}
}
