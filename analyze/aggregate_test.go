package analyze

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"logflume/pipeline"
)

// rowKey names a row of log_analytics.
type rowKey struct {
	window  int64
	service string
}

// row is a decoded share.
type row struct {
	Patterns []patternRow
	Issues   []issueRow
	Summary  summaryRow
}

type patternRow struct {
	ID      int64 `json:"pattern_id"`
	Pattern string
	Count   int64
	Level   *string
	First   time.Time
	Last    time.Time
	Sample  string
}

type issueRow struct {
	Endpoint     *string
	ResponseTime float64 `json:"response_time"`
	Timestamp    time.Time
	TraceID      *string `json:"trace_id"`
}

type summaryRow struct {
	TotalLogs      int64 `json:"total_logs"`
	Kept           int64
	TotalErrors    int64 `json:"total_errors"`
	UniquePatterns int64 `json:"unique_patterns"`
	SlowRequests   int64 `json:"slow_requests"`
	Requests       int64
	Failed         int64
	Levels         map[string]int64
	Statuses       map[string]int64
	Latency        map[string]latencyRow
	Users          list[uint32]
	Tenants        list[uint32]
	Patterns       list[uint32]
}

type latencyRow struct {
	N, Slow  int64
	Sum, Max float64
	H        *int64
	K        list[int32]
	C        list[int64]
}

// A list of whole numbers is a JSON string of their decimals, separated by single spaces.
type list[T int32 | int64 | uint32] []T

func (l *list[T]) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*l = nil
	if s == "" {
		return nil
	}
	for field := range strings.SplitSeq(s, " ") {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return err
		}
		*l = append(*l, T(n))
	}
	return nil
}

// rows decodes what the aggregate holds.
func rows(t *testing.T, a *Aggregate) map[rowKey]*row {
	t.Helper()
	out := map[rowKey]*row{}
	a.Rows(func(s *pipeline.Share) {
		r := &row{}
		for _, column := range []struct {
			raw []byte
			to  any
		}{{s.ErrorPatterns, &r.Patterns}, {s.PerformanceIssues, &r.Issues}, {s.Summary, &r.Summary}} {
			if err := json.Unmarshal(column.raw, column.to); err != nil {
				t.Fatalf("%s: %v", column.raw, err)
			}
		}
		key := rowKey{s.Window, s.Service}
		if out[key] != nil {
			t.Fatalf("%v comes twice", key)
		}
		out[key] = r
	})
	return out
}

const minute = 60_000_000

// randomEvents returns n events of all kinds within some windows.
func randomEvents(r *rand.Rand, n int) []pipeline.Event {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	events := make([]pipeline.Event, n)
	for i := range events {
		e := &events[i]
		e.Time = 1_790_000_000_000_000 + r.Int64N(5*minute)
		e.Fate = pipeline.Fate(r.IntN(4))
		e.Level = pick("INFO", "INFO", "WARN", "ERROR", "CRITICAL", "")
		e.Service = pick("orders", "billing", "")
		e.Endpoint = pick("/a", "/b/{n}", "/c \"quoted\"\t\\", "/日本", "", "other")
		e.TraceID = pick("t1", "t2", "")
		e.UserID = pick("", fmt.Sprint(r.IntN(300)))
		e.TenantID = pick("t-1", "t-2", "")
		e.Message = pick("order 5 failed", "disk full", "")
		e.Exception = pick("", "KeyError: 'x'")
		e.ResponseTime = math.NaN()
		if r.IntN(3) > 0 {
			e.ResponseTime = float64(r.IntN(3000)) // whole, so that sums are exact in any order
			e.Status = []int16{0, 200, 404, 500, 503}[r.IntN(5)]
		}
	}
	return events
}

func batches(events []pipeline.Event, sizes ...int) []*pipeline.Batch {
	var out []*pipeline.Batch
	process := New(Options{})()
	for _, n := range append(sizes, len(events)) {
		n = min(n, len(events))
		b := &pipeline.Batch{Events: slices.Clone(events[:n])}
		process.Process(b)
		out = append(out, b)
		events = events[n:]
	}
	return out
}

// The shares are what a plain reading of their definition gives.
func TestSharesAgainstModel(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	a := NewAggregate(Options{})
	for range 3 { // the second and third use the memory of those before
		events := batches(randomEvents(r, 3000))[0].Events
		a.Add(&pipeline.Batch{Events: events})
		got := rows(t, a)
		want := model(events)
		if len(got) != len(want) {
			t.Errorf("%d rows, want %d", len(got), len(want))
		}
		for key, w := range want {
			compare(t, key, got[key], w)
		}
		a.Reset()
	}
}

// model counts events one by one, following the definitions in the plainest way.
func model(events []pipeline.Event) map[rowKey]*row {
	out := map[rowKey]*row{}
	for i := range events {
		e := &events[i]
		if e.Fate == pipeline.Drop {
			continue
		}
		key := rowKey{e.Time / minute * minute, e.Service}
		r := out[key]
		if r == nil {
			r = &row{Summary: summaryRow{Levels: map[string]int64{}, Statuses: map[string]int64{}, Latency: map[string]latencyRow{}}}
			out[key] = r
		}
		s := &r.Summary
		s.TotalLogs++
		if e.Fate == pipeline.Keep {
			s.Kept++
		}
		isErr := e.Level == "ERROR" || e.Level == "CRITICAL" || e.Level == "" && e.Exception != ""
		if isErr {
			s.TotalErrors++
			modelPattern(r, e)
		}
		if e.Level != "" {
			s.Levels[e.Level]++
		}
		if e.Status != 0 {
			s.Statuses[fmt.Sprint(e.Status)]++
		}
		if e.Status != 0 || !math.IsNaN(e.ResponseTime) {
			s.Requests++
		}
		if e.Status >= 500 || e.Status == 0 && isErr {
			s.Failed++
		}
		if !math.IsNaN(e.ResponseTime) {
			modelLatency(r, e)
		}
	}
	for _, r := range out {
		slices.SortStableFunc(r.Issues, func(a, b issueRow) int { return int(b.ResponseTime - a.ResponseTime) })
		r.Issues = r.Issues[:min(len(r.Issues), 100)]
		r.Summary.UniquePatterns = int64(len(r.Patterns))
	}
	return out
}

func modelPattern(r *row, e *pipeline.Event) {
	if e.PatternID == 0 {
		return
	}
	at := time.UnixMicro(e.Time).UTC()
	for i := range r.Patterns {
		if p := &r.Patterns[i]; p.ID == e.PatternID {
			p.Count++
			if at.Before(p.First) {
				p.First = at
			}
			if at.After(p.Last) {
				p.Last = at
			}
			return
		}
	}
	r.Patterns = append(r.Patterns, patternRow{ID: e.PatternID, Pattern: e.Pattern, Count: 1, First: at, Last: at})
}

func modelLatency(r *row, e *pipeline.Event) {
	endpoint := e.Endpoint
	if endpoint == "" {
		endpoint = "other"
	}
	l := r.Summary.Latency[endpoint]
	l.N++
	l.Sum += e.ResponseTime
	l.Max = max(l.Max, e.ResponseTime)
	k := int32(math.MinInt32)
	if e.ResponseTime > 1e-9 {
		k = int32(math.Ceil(math.Log(e.ResponseTime) / math.Log(1.01/0.99)))
	}
	i, found := slices.BinarySearch(l.K, k)
	if !found {
		l.K, l.C = slices.Insert(slices.Clone(l.K), i, k), slices.Insert(slices.Clone(l.C), i, 0)
	}
	l.C[i]++
	if e.ResponseTime > 1000 {
		l.Slow++
		r.Summary.SlowRequests++
		r.Issues = append(r.Issues, issueRow{ResponseTime: e.ResponseTime})
	}
	r.Summary.Latency[endpoint] = l
}

func compare(t *testing.T, key rowKey, got, want *row) {
	t.Helper()
	if got == nil {
		t.Errorf("%v: no row", key)
		return
	}
	same := func(what string, got, want any) {
		t.Helper()
		if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
			t.Errorf("%v: %s\n got %s\nwant %s", key, what, g, w)
		}
	}
	same("summary", scalars(got.Summary), scalars(want.Summary))
	same("levels", got.Summary.Levels, want.Summary.Levels)
	same("statuses", got.Summary.Statuses, want.Summary.Statuses)
	if len(got.Summary.Latency) != len(want.Summary.Latency) {
		t.Errorf("%v: %d endpoints, want %d", key, len(got.Summary.Latency), len(want.Summary.Latency))
	}
	for endpoint, w := range want.Summary.Latency {
		g := got.Summary.Latency[endpoint]
		if (g.H == nil) != (endpoint == "other") {
			t.Errorf("%v %s: hash %v", key, endpoint, g.H)
		}
		g.H, w.H = nil, nil
		same(endpoint, g, w)
	}
	patterns := map[int64]patternRow{}
	for i, p := range got.Patterns {
		if i > 0 && p.Count > got.Patterns[i-1].Count {
			t.Errorf("%v: patterns are not in the order of their counts", key)
		}
		p.Level, p.Sample = nil, ""
		patterns[p.ID] = p
	}
	if len(patterns) != len(want.Patterns) {
		t.Errorf("%v: %d patterns, want %d", key, len(patterns), len(want.Patterns))
	}
	for _, w := range want.Patterns {
		w.Level, w.Sample = nil, ""
		same("pattern", patterns[w.ID], w)
	}
	if len(got.Issues) != len(want.Issues) {
		t.Fatalf("%v: %d issues, want %d", key, len(got.Issues), len(want.Issues))
	}
	for i, w := range want.Issues {
		same("issue", got.Issues[i].ResponseTime, w.ResponseTime)
	}
}

func scalars(s summaryRow) [7]int64 {
	return [7]int64{s.TotalLogs, s.Kept, s.TotalErrors, s.UniquePatterns, s.SlowRequests, s.Requests, s.Failed}
}

func TestWindows(t *testing.T) {
	t.Parallel()
	a := NewAggregate(Options{Window: 10 * time.Second})
	a.Add(&pipeline.Batch{Events: []pipeline.Event{
		{Time: 19_999_999, Service: "s", ResponseTime: math.NaN()}, {Time: 20_000_000, Service: "s", ResponseTime: math.NaN()},
		{Time: -1, Service: "s", ResponseTime: math.NaN()}, {Time: 10_000_000, Service: "s", ResponseTime: math.NaN()},
	}})
	got := map[int64]int64{}
	for key, r := range rows(t, a) {
		got[key.window] = r.Summary.TotalLogs
	}
	if want := map[int64]int64{-10_000_000: 1, 10_000_000: 2, 20_000_000: 1}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("events by window: %v, want %v", got, want)
	}
	a.Rows(func(s *pipeline.Share) {
		if s.Seconds != 10 {
			t.Errorf("width %d s", s.Seconds)
		}
	})
}

func TestPatternOfShare(t *testing.T) {
	t.Parallel()
	a := NewAggregate(Options{})
	a.Add(&pipeline.Batch{Events: []pipeline.Event{
		{Time: 5_000_000, Level: "ERROR", PatternID: 7, Pattern: "a <num>", Message: "a 2", ResponseTime: math.NaN()},
		{Time: 3_000_001, Level: "CRITICAL", PatternID: 7, Pattern: "a <num>", Message: "a \"1\"\n", ResponseTime: math.NaN()},
		{Time: 9_000_000, Level: "ERROR", PatternID: 7, Pattern: "a <num>", Message: "a 3", ResponseTime: math.NaN()},
	}})
	const want = `[{"pattern_id":7,"pattern":"a <num>","count":3,"level":"CRITICAL","first":"1970-01-01T00:00:03.000001Z",` +
		`"last":"1970-01-01T00:00:09.000000Z","sample":"a \"1\"\u000a"}]`
	a.Rows(func(s *pipeline.Share) {
		if got := string(s.ErrorPatterns); got != want {
			t.Errorf("error_patterns\n got %s\nwant %s", got, want)
		}
	})
}

// TestSummary: the form that the functions in SQL read, numbers without the noise of sums in floating point.
func TestSummary(t *testing.T) {
	t.Parallel()
	a := NewAggregate(Options{})
	a.Add(&pipeline.Batch{Events: []pipeline.Event{
		{Level: "INFO", Status: 200, Endpoint: "/a", ResponseTime: 11.1, UserID: "7"},
		{Level: "INFO", Status: 200, Endpoint: "/a", ResponseTime: 1.1 + 2.2, UserID: "8"},
		{Level: "WARN", Status: 503, Endpoint: "/a", ResponseTime: 11.1, UserID: "7"},
	}})
	const want = `{"total_logs":3,"kept":3,"total_errors":0,"unique_patterns":0,"slow_requests":0,"requests":3,"failed":1,` +
		`"levels":{"INFO":2,"WARN":1},"statuses":{"200":2,"503":1},"latency":{"/a":{"n":3,"sum":25.5,"max":11.1,"slow":0,` +
		`"h":851085478269189764,"k":"60 121","c":"1 2"}},"users":"24833 177410","tenants":"","patterns":""}`
	a.Rows(func(s *pipeline.Share) {
		if got := string(s.Summary); got != want {
			t.Errorf("summary\n got %s\nwant %s", got, want)
		}
	})
}

func TestAppendMilliseconds(t *testing.T) {
	t.Parallel()
	for ms, want := range map[float64]string{
		0: "0", 5: "5", 0.1 + 0.2: "0.3", 1.05: "1.05", 1520.3071: "1520.307", 0.0004: "0", 0.0006: "0.001", 0.9996: "1", 40: "40",
		-0.0001: "0", -2.5: "-2.5", 999_999_999_999.125: "999999999999.125", 1e12: "1e+12", -1e300: "-1e+300", math.MaxFloat64: "1.7976931348623157e+308",
	} {
		if got := string(appendMilliseconds(nil, ms)); got != want {
			t.Errorf("%v is written %s, want %s", ms, got, want)
		}
	}
}
