package schema_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// an hour of a service: requests whose times are lognormal, errors by pattern.
type hour struct {
	service  string
	requests int
	slower   float64 // factor of all times
	failures int
	patterns map[int64]int
}

func (h hour) events(r *rand.Rand, at time.Time) (events []logged) {
	next := func(e logged) {
		e.at = at.Add(time.Duration(len(events)) * 100 * time.Millisecond)
		e.service = h.service
		events = append(events, e)
	}
	for i := range h.requests {
		status := 200
		if i < h.failures {
			status = 500
		}
		next(logged{level: "INFO", status: status, endpoint: "/a", ms: h.slower * math.Exp(4+r.NormFloat64())})
	}
	for _, id := range []int64{1, 2, 3} {
		for range h.patterns[id] {
			next(logged{level: "ERROR", pattern: id})
		}
	}
	return events
}

func TestCompareFindsWhatGotWorse(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	r := seeded(t)
	before := []hour{
		{service: "good", requests: 2000, slower: 1, failures: 20, patterns: map[int64]int{1: 30}},
		{service: "bad", requests: 2000, slower: 1, failures: 20, patterns: map[int64]int{2: 10}},
		{service: "ends", requests: 500, slower: 1},
	}
	after := []hour{
		{service: "good", requests: 2000, slower: 1, failures: 20, patterns: map[int64]int{1: 30}},
		{service: "bad", requests: 2000, slower: 1.5, failures: 100, patterns: map[int64]int{2: 60, 3: 5}},
	}
	for i, hours := range [][]hour{before, after} {
		for _, h := range hours {
			insertAll(t, conn, h.events(r, past.Add(time.Duration(i)*24*time.Hour)), 400)
		}
	}
	exec(t, conn, "SELECT roll_hour($1, 100000)", past.Add(time.Hour)) // the first day only
	exec(t, conn, "INSERT INTO log_patterns (pattern_id, pattern, sample) SELECT id, 'pattern ' || id, '' FROM generate_series(1, 3) id")
	rows, err := conn.Query(t.Context(), `SELECT finding, service, coalesce(subject, ''), before, after, z
		FROM compare($1, $2, $3, $4)`, past, past.Add(time.Hour), past.Add(24*time.Hour), past.Add(25*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	var finding, service, subject string
	var b, a, z float64
	_, err = pgx.ForEachRow(rows, []any{&finding, &service, &subject, &b, &a, &z}, func() error {
		if finding == "p95 in ms" {
			if math.Abs(a/b-1.5) > 0.3 {
				t.Errorf("p95 from %g to %g, want 1.5 times as much, about", b, a)
			}
			b, a = 0, 0
		}
		if finding != "new pattern" && z < 3 {
			t.Errorf("%s of %s: z %g", finding, service, z)
		}
		found = append(found, fmt.Sprintf("%s|%s|%s|%g|%g", finding, service, subject, b, a))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	want := []string{
		"errors per hour|bad|pattern 2|10|60", "failure rate|bad||0.01|0.05", "logs per hour fell|ends||500|0",
		"new pattern|bad|pattern 3|0|5", "p95 in ms|bad|/a|0|0",
	}
	if !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
	if n := one[int](t, conn, "SELECT count(*) FROM compare($1, $2, $1, $2)", past, past.Add(time.Hour)); n != 0 {
		t.Errorf("%d findings between a range and itself", n)
	}
}

func TestNewErrors(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	insertAll(t, conn, hour{service: "s", patterns: map[int64]int{1: 5, 2: 7, 3: 9}}.events(nil, past), 4)
	exec(t, conn, "SELECT roll_hour('infinity', 3)") // a part of them
	exec(t, conn, `INSERT INTO log_patterns (pattern_id, pattern, first_seen, sample)
		SELECT i, 'pattern ' || i, now() - make_interval(hours => i), 'sample' FROM generate_series(1, 3) i`)
	got := column[string](t, conn, "SELECT format('%s %s %s', pattern_id, pattern, count) FROM new_errors(now() - interval '150 minutes')")
	if want := []string{"2 pattern 2 7", "1 pattern 1 5"}; !slices.Equal(got, want) {
		t.Errorf("new errors %q, want %q", got, want)
	}
}

func TestKPIs(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	day := past.Add(14 * time.Hour) // the midnight after
	for i, n := range []int{100, 200, 400} {
		insertAll(t, conn, hour{service: "s", requests: n, slower: 1}.events(rand.New(rand.NewPCG(1, 1)), day.Add(time.Duration(i-1)*time.Hour)), 50)
	}
	compact(t, conn)
	// One host is there all the time in two processes, another came after half of it and was away half of the rest.
	exec(t, conn, "ALTER TABLE log_instances DISABLE TRIGGER trim_instances") // they are long past
	for _, life := range [][3]any{{"a", -100, 90}, {"a", 60, 500}, {"b", 120, 180}} {
		exec(t, conn, `INSERT INTO log_instances (instance, host, version, started_at, seen_at)
			VALUES ($1::text || $2::int, $1::text, 'v', $4::timestamptz + $2::int * interval '1 minute', $4::timestamptz + $3::int * interval '1 minute')`, life[0], life[1], life[2], day)
	}
	type figures struct {
		Uptime, PerSecond float64
		Requests, Today   int64
	}
	rows, err := conn.Query(t.Context(), "SELECT uptime, requests_per_second, requests, requests_today FROM kpis($1, $2)", day.Add(-time.Hour), day.Add(4*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[figures])
	if err != nil {
		t.Fatal(err)
	}
	if want := (figures{Uptime: (1 + 0.5) / 2, PerSecond: 700 / 18000., Requests: 700, Today: 600}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if one[bool](t, conn, "SELECT uptime IS NOT NULL OR p50 IS NOT NULL OR logs <> 0 OR users <> 0 FROM kpis('2020-01-01', '2020-01-02')") {
		t.Error("figures of a range of nothing")
	}
}

// What is not in order, or has no width, is a range of nothing.
func TestQuestionsAboutNothing(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	insertAll(t, conn, randomEvents(seeded(t), 50, past, 1), 50)
	for _, question := range []string{
		"error_rate($1, $2)", "performance_issues($1, $2)", "apdex($1, $2)", "latency_quantiles($1, $2)",
		"slowest_endpoints($1, $2)", "request_rate($1, $2, '1 day')", "top_errors($1, $2)", "compare($1, $2, $1, $2)",
	} {
		for _, until := range []time.Time{past, past.Add(-time.Hour)} {
			if n := one[int](t, conn, "SELECT count(*) FROM "+question, past, until); n != 0 {
				t.Errorf("%s until %v: %d rows", question, until, n)
			}
		}
	}
	if n := one[int64](t, conn, "SELECT total_errors($1, $1) + unique_error_patterns($1, $1) + unique_users($1, $1) + active_tenants($1, $1)", past); n != 0 {
		t.Errorf("%d errors and users of nothing", n)
	}
}

// TestCompareFindsEverySlowerEndpoint compares with what the buckets of all requests say: in short ranges, of which some is not
// in blocks yet, and in long ones, where classes of eight buckets must say first that more requests are beyond the old one.
func TestCompareFindsEverySlowerEndpoint(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{6 * time.Hour, 24 * time.Hour} {
		t.Run(length.String(), func(t *testing.T) {
			t.Parallel()
			compareSlowerEndpoints(t, length)
		})
	}
}

func compareSlowerEndpoints(t *testing.T, length time.Duration) {
	conn := connect(t, migrated(t))
	r := seeded(t)
	long := length >= 12*time.Hour
	var events [2][]logged
	greatest := int64(math.MinInt64)     // hash of an endpoint
	buckets := map[[2]string]*[2][]int{} // by service and endpoint, in ascending order
	for i := range 60 {
		service := []string{"one", "two", "", "many"}[i%4]
		endpoint := fmt.Sprintf("/%d", i/2)
		median := []float64{0.3, 20, 55, 60, 4000}[r.IntN(5)]
		even := r.IntN(3) == 0 // all requests take the same time, or none
		in := &[2][]int{}
		for half := range in {
			factor := 1 + float64(half*r.IntN(5))/5
			if even {
				factor = math.Pow(1.01/0.99, float64(half*r.IntN(4))) // so many buckets
			}
			for range []int{15, 20, 80, 500}[r.IntN(4)] {
				ms := factor * median
				if !even {
					ms *= math.Exp(r.NormFloat64())
				}
				if r.IntN(10) == 0 {
					ms = 0
				}
				at := past.Add(time.Duration(half)*24*time.Hour + time.Duration(r.IntN(26))*7*time.Minute)
				events[half] = append(events[half], logged{at: at, service: service, level: "INFO", status: 200, endpoint: endpoint, ms: ms})
				in[half] = append(in[half], bucket(ms))
			}
			slices.Sort(in[half])
		}
		buckets[[2]string{service, endpoint}] = in
		greatest = max(greatest, routeHash(endpoint))
	}
	for half := range events {
		// So many that blocks do not tell all endpoints of this service apart, but those that are compared.
		for i, n := 0, 0; n < 250; i++ {
			e := logged{at: past.Add(time.Duration(half) * 24 * time.Hour), service: "many", level: "INFO", status: 200,
				endpoint: fmt.Sprintf("/rare/%d", i), ms: 1}
			if routeHash(e.endpoint) > greatest {
				events[half] = append(events[half], e)
				n++
			}
		}
		insertAll(t, conn, events[half], 1500)
		exec(t, conn, "SELECT roll_hour($1, 100000), fold_windows('infinity', 300), fill_blocks('infinity', 50)", past.Add(2*time.Hour))
		if long {
			compact(t, conn)
		}
	}
	var want []string
	above := func(all []int, bucket int) int {
		return len(slices.DeleteFunc(slices.Clone(all), func(k int) bool { return k <= bucket }))
	}
	p95 := func(all []int) int { return all[(95*len(all)+99)/100-1] }
	for key, in := range buckets {
		b, a := float64(len(in[0])), float64(len(in[1]))
		k := p95(in[0])
		z := (float64(above(in[1], k))/a - float64(above(in[0], k))/b) / math.Sqrt(0.05*0.95*(1/b+1/a))
		class := (max(k, -1040) + 1400 + 7) / 8
		beyond := [2]float64{float64(above(in[0], 8*class-1400)), float64(above(in[1], 8*class-1400))}
		share := (beyond[0] + beyond[1]) / (b + a)
		suspect := !long || key[0] == "many" || beyond[1]/a-beyond[0]/b > 3*math.Sqrt(share*(1-share)*(1/b+1/a))
		if min(b, a) >= 20 && p95(in[1]) > k+1 && z >= 3 && suspect {
			want = append(want, fmt.Sprintf("%s|%s|%d|%d|%.8f", key[0], key[1], k, p95(in[1]), z))
		}
	}
	got := column[string](t, conn, `SELECT concat_ws('|', coalesce(service, ''), subject,
		CASE WHEN before > 0 THEN round(log(1.01 / 0.99, (before * (1.01 / 0.99 + 1) / 2)::numeric)) ELSE -2147483648 END,
		round(log(1.01 / 0.99, (after * (1.01 / 0.99 + 1) / 2)::numeric)), round(z::numeric, 8))
		FROM compare($1, $2, $3, $4) WHERE finding = 'p95 in ms'`, past, past.Add(length), past.Add(24*time.Hour), past.Add(24*time.Hour+length))
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
