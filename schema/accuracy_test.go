package schema_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/analyze"
	"logflume/pipeline"
)

// accuracyEvents returns how many events to compare with: a slice in the tests, all of them by make accuracy.
func accuracyEvents(t *testing.T) int {
	t.Helper()
	text := os.Getenv("LOGFLUME_TEST_EVENTS")
	if text == "" {
		return 20_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("LOGFLUME_TEST_EVENTS: %v", err)
	}
	return n
}

// TestFiguresAreAccurate has the analysis count events of 200 endpoints, compacts a part of its windows, and compares
// what SQL answers with the events: every quantile of every endpoint, and the users of every hour.
func TestFiguresAreAccurate(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	const endpoints, flush = 200, 5000
	n := accuracyEvents(t)
	hours := time.Duration(max(3, min(n/100_000, 30)))
	r := rand.New(rand.NewPCG(7, 7))
	exec(t, conn, "CREATE TEMPORARY TABLE raw (at timestamptz, endpoint text, ms double precision, user_id text)")
	process, aggregate := analyze.New(analyze.Options{})(), analyze.NewAggregate(analyze.Options{})
	batch := &pipeline.Batch{}
	step := hours * time.Hour / time.Duration(n)
	for first := 0; first < n; first += flush {
		batch.Events = batch.Events[:0]
		var rows [][]any
		for i := first; i < min(first+flush, n); i++ {
			endpoint := int(endpoints * math.Pow(r.Float64(), 2)) // some have many, all have some
			e := pipeline.Event{
				Time: past.Add(time.Duration(i) * step).UnixMicro(), Service: []string{"a", "b"}[endpoint%2], Level: "INFO",
				Endpoint: fmt.Sprintf("/route/%d", endpoint), UserID: fmt.Sprint("user ", r.IntN(n/20+1)), Status: 200,
				ResponseTime: float64(float32(math.Exp(2 + float64(endpoint%7)/2 + 1.2*r.NormFloat64()))),
			}
			batch.Events = append(batch.Events, e)
			rows = append(rows, []any{time.UnixMicro(e.Time), e.Endpoint, e.ResponseTime, e.UserID})
		}
		process.Process(batch)
		aggregate.Reset()
		aggregate.Add(batch)
		var shares pgx.Batch
		aggregate.Rows(func(s *pipeline.Share) { shares.Queue(insertShare, shareArgs(*s)...) })
		if err := conn.SendBatch(t.Context(), &shares).Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.CopyFrom(t.Context(), pgx.Identifier{"raw"}, []string{"at", "endpoint", "ms", "user_id"}, pgx.CopyFromRows(rows)); err != nil {
			t.Fatal(err)
		}
	}
	for one[bool](t, conn, "SELECT roll_hour($1, 100000)", past.Add((hours-2)*time.Hour)) {
	}
	exec(t, conn, "SET statement_timeout = 0; SET work_mem = '256MB'; ANALYZE raw")

	since, until := past, past.Add(hours*time.Hour)
	rows, err := conn.Query(t.Context(), `SELECT q.endpoint, q.quantile, q.requests, q.ms, e.n, e.exact
		FROM latency_quantiles($1, $2, '{0.5,0.9,0.95,0.99,0.999}') q
		FULL JOIN (SELECT endpoint, count(*) AS n, unnest(ARRAY[0.5,0.9,0.95,0.99,0.999]) AS quantile,
				unnest(percentile_disc('{0.5,0.9,0.95,0.99,0.999}'::float8[]) WITHIN GROUP (ORDER BY ms)) AS exact
			FROM raw GROUP BY endpoint) e ON e.endpoint = q.endpoint AND e.quantile = q.quantile`, since, until)
	if err != nil {
		t.Fatal(err)
	}
	worst := map[float64]float64{}
	compared := 0
	var endpoint string
	var quantile, ms, exact float64
	var requests, want int64
	_, err = pgx.ForEachRow(rows, []any{&endpoint, &quantile, &requests, &ms, &want, &exact}, func() error {
		compared++
		off := math.Abs(ms-exact) / exact
		worst[quantile] = max(worst[quantile], off)
		if requests != want || off > 0.01*(1+1e-9) {
			t.Errorf("%s p%g: %g ms of %d, want %g ms of %d", endpoint, 100*quantile, ms, requests, exact, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if compared != 5*endpoints {
		t.Errorf("%d quantiles, want %d", compared, 5*endpoints)
	}
	for _, q := range []float64{0.5, 0.9, 0.95, 0.99, 0.999} {
		t.Logf("p%g of %d endpoints and %d events: at most %.3f %% off", 100*q, endpoints, n, 100*worst[q])
	}

	rms := one[float64](t, conn, `SELECT sqrt(avg((unique_users(h, h + interval '1 hour') / n::float8 - 1) ^ 2))
		FROM (SELECT date_trunc('hour', at) AS h, count(DISTINCT user_id) AS n FROM raw GROUP BY 1) x`)
	t.Logf("users of %d hours: %.2f %% off (root mean square)", hours, 100*rms)
	if rms > 0.02 {
		t.Errorf("users of an hour are off by %.2f %%, want at most 2 %% (root mean square)", 100*rms)
	}
	if n != int(one[int64](t, conn, "SELECT logs FROM kpis($1, $2)", since, until)) {
		t.Error("not every event is counted once")
	}
}
