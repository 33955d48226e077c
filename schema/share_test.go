package schema_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// This file is the reference for what SQL merges: shareOf computes a row of log_analytics from events at once, by the
// definition of each member. However events are cut into shares, and however these are merged, that must come out.

// logged is an event as the analysis sees it.
type logged struct {
	at       time.Time // unique among the events of a test
	service  string    // "" is NULL
	kept     bool
	level    string
	status   int     // 0 is none
	endpoint string  // "" when it is no request
	ms       float64 // unique among the events of a test
	user     uint64
	pattern  int64 // 0 unless it is an error
}

type window struct {
	At      time.Time
	Seconds int
	Service string
}

// row is a row of log_analytics but for its identity.
type row struct {
	Patterns []patternCount
	Issues   []issue
	Summary  summary
}

type patternCount struct {
	PatternID int64  `json:"pattern_id"`
	Pattern   string `json:"pattern"`
	Count     int    `json:"count"`
	Level     string `json:"level"`
	First     micros `json:"first"`
	Last      micros `json:"last"`
	Sample    string `json:"sample"`
}

type issue struct {
	Endpoint     string  `json:"endpoint"`
	ResponseTime float64 `json:"response_time"`
	Timestamp    micros  `json:"timestamp"`
	TraceID      string  `json:"trace_id"`
}

type summary struct {
	TotalLogs      int                  `json:"total_logs"`
	Kept           int                  `json:"kept"`
	TotalErrors    int                  `json:"total_errors"`
	RestErrors     int                  `json:"rest_errors"`
	UniquePatterns int                  `json:"unique_patterns"`
	SlowRequests   int                  `json:"slow_requests"`
	Requests       int                  `json:"requests"`
	Failed         int                  `json:"failed"`
	Levels         map[string]int       `json:"levels"`
	Statuses       map[string]int       `json:"statuses"`
	Latency        map[string]histogram `json:"latency"`
	Users          list                 `json:"users"`
	PatternSketch  list                 `json:"patterns"`
}

type histogram struct {
	Hash   *int64  `json:"h,omitempty"`
	N      int     `json:"n"`
	Sum    float64 `json:"sum"`
	Max    float64 `json:"max"`
	Slow   int     `json:"slow"`
	Bucket list    `json:"k"`
	Count  list    `json:"c"`
}

// A list of whole numbers is one string in JSON, null if it was missing there.
type list []int

func (l list) String() string { return strings.Trim(fmt.Sprint([]int(l)), "[]") }

func (l list) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("null"), nil
	}
	return json.Marshal(l.String())
}

func (l *list) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*l = list{}
	if s == "" {
		return nil
	}
	for field := range strings.SplitSeq(s, " ") {
		n, err := strconv.Atoi(field)
		if err != nil {
			return err
		}
		*l = append(*l, n)
	}
	return nil
}

// MarshalJSON leaves out of the sum what depends on the order of adding floating-point numbers.
func (h histogram) MarshalJSON() ([]byte, error) {
	type plain histogram
	h.Sum = math.Round(h.Sum*1e6) / 1e6
	return json.Marshal(plain(h))
}

// micros is a time in JSON, whatever its zone is written like.
type micros int64

func (m micros) MarshalJSON() ([]byte, error) {
	return time.UnixMicro(int64(m)).UTC().MarshalJSON()
}

func (m *micros) UnmarshalJSON(b []byte) error {
	var t time.Time
	err := t.UnmarshalJSON(b)
	*m = micros(t.UnixMicro())
	return err
}

// hash mixes a number into 64 bits.
func hash(n uint64) uint64 {
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

func routeHash(endpoint string) int64 {
	h := uint64(len(endpoint))
	for _, b := range []byte(endpoint) {
		h = hash(h + uint64(b))
	}
	return int64(h)
}

// sketch returns the HyperLogLog registers of hashes.
func sketch(hashes map[uint64]bool) list {
	registers := map[int]int{}
	for h := range hashes {
		rho := min(bits.LeadingZeros64(h<<12)+1, 53)
		registers[int(h>>52)] = max(registers[int(h>>52)], rho)
	}
	entries := list{}
	for i, rho := range registers {
		entries = append(entries, i*64+rho)
	}
	slices.Sort(entries)
	return entries
}

func bucket(ms float64) int {
	if ms <= 1e-9 {
		return math.MinInt32
	}
	return int(math.Ceil(math.Log(ms) / math.Log(1.01/0.99)))
}

// shareOf computes the row of one window and service.
func shareOf(events []logged) row {
	r := row{Patterns: []patternCount{}, Issues: []issue{}}
	s := &r.Summary
	s.Levels, s.Statuses = map[string]int{}, map[string]int{}
	users, ids := map[uint64]bool{}, map[uint64]bool{}
	times := map[string][]float64{}
	patterns := map[int64]*patternCount{}
	for _, e := range events {
		s.TotalLogs++
		s.Levels[e.level]++
		users[hash(e.user)] = true
		if e.kept {
			s.Kept++
		}
		if e.status != 0 {
			s.Requests++
			s.Statuses[fmt.Sprint(e.status)]++
			if e.status >= 500 {
				s.Failed++
			}
		}
		if e.endpoint != "" {
			times[e.endpoint] = append(times[e.endpoint], e.ms)
			if e.ms > 1000 {
				s.SlowRequests++
				r.Issues = append(r.Issues, issue{e.endpoint, e.ms, micros(e.at.UnixMicro()), fmt.Sprint("t", e.user)})
			}
		}
		if e.pattern != 0 {
			s.TotalErrors++
			ids[hash(uint64(e.pattern))] = true
			at := micros(e.at.UnixMicro())
			p := patterns[e.pattern]
			if p == nil {
				p = &patternCount{PatternID: e.pattern, Pattern: fmt.Sprint("pattern ", e.pattern), First: at, Last: at}
				patterns[e.pattern] = p
			}
			p.Count++
			p.First = min(p.First, at)
			if at >= p.Last {
				p.Last, p.Level, p.Sample = at, e.level, fmt.Sprint("sample of ", e.at.UnixMicro())
			}
		}
	}
	for _, p := range patterns {
		r.Patterns = append(r.Patterns, *p)
	}
	slices.SortFunc(r.Patterns, func(a, b patternCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.PatternID, b.PatternID))
	})
	slices.SortFunc(r.Issues, func(a, b issue) int { return cmp.Compare(b.ResponseTime, a.ResponseTime) })
	r.Issues = r.Issues[:min(len(r.Issues), 100)]
	s.UniquePatterns = len(patterns)
	s.Users, s.PatternSketch = sketch(users), sketch(ids)
	s.Latency = latencyOf(times)
	return r
}

// latencyOf makes the histograms of the 200 endpoints with the smallest hash and the one of the rest.
func latencyOf(times map[string][]float64) map[string]histogram {
	names := slices.SortedFunc(maps.Keys(times), func(a, b string) int { return cmp.Compare(routeHash(a), routeHash(b)) })
	latency := map[string]histogram{}
	var other []float64
	for i, name := range names {
		if i >= 200 {
			other = append(other, times[name]...)
			continue
		}
		h := histogramOf(times[name])
		hash := routeHash(name)
		h.Hash = &hash
		latency[name] = h
	}
	if other != nil {
		latency["other"] = histogramOf(other)
	}
	return latency
}

func histogramOf(times []float64) histogram {
	h := histogram{N: len(times), Max: slices.Max(times)}
	counts := map[int]int{}
	for _, ms := range times {
		h.Sum += ms
		counts[bucket(ms)]++
		if ms > 1000 {
			h.Slow++
		}
	}
	h.Bucket = slices.Sorted(maps.Keys(counts))
	for _, k := range h.Bucket {
		h.Count = append(h.Count, counts[k])
	}
	return h
}

// byWindow sorts events into windows.
func byWindow(events []logged, seconds int) map[window][]logged {
	windows := map[window][]logged{}
	for _, e := range events {
		w := window{e.at.Truncate(time.Duration(seconds) * time.Second), seconds, e.service}
		windows[w] = append(windows[w], e)
	}
	return windows
}

// insertShares adds the shares of a segment's events to a batch.
func insertShares(batch *pgx.Batch, events []logged, seconds int) error {
	for w, in := range byWindow(events, seconds) {
		r := shareOf(in)
		patterns, err1 := json.Marshal(r.Patterns)
		issues, err2 := json.Marshal(r.Issues)
		sum, err3 := json.Marshal(r.Summary)
		if err := cmp.Or(err1, err2, err3); err != nil {
			return err
		}
		batch.Queue(`INSERT INTO log_analytics (timestamp, window_seconds, service, error_patterns, performance_issues, summary)
			VALUES ($1, $2, nullif($3, ''), $4, $5, $6)`, w.At, w.Seconds, w.Service, patterns, issues, sum)
	}
	return nil
}

// insertAll inserts the shares of events, cut into segments of so many.
func insertAll(t *testing.T, conn *pgx.Conn, events []logged, segment int) {
	t.Helper()
	var batch pgx.Batch
	for part := range slices.Chunk(events, segment) {
		if err := insertShares(&batch, part, 60); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.SendBatch(t.Context(), &batch).Close(); err != nil {
		t.Fatal(err)
	}
}

// wantRows compares the rows of one width with those computed from all events.
func wantRows(t *testing.T, conn *pgx.Conn, events []logged, seconds int) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT timestamp, coalesce(service, ''), error_patterns, performance_issues, summary
		FROM log_analytics WHERE window_seconds = $1`, seconds)
	if err != nil {
		t.Fatal(err)
	}
	got := map[window]row{}
	w, r := window{Seconds: seconds}, row{}
	_, err = pgx.ForEachRow(rows, []any{&w.At, &w.Service, &r.Patterns, &r.Issues, &r.Summary}, func() error {
		w.At = w.At.UTC()
		if _, twice := got[w]; twice {
			t.Errorf("two rows for %v", w)
		}
		got[w] = r
		r = row{}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := byWindow(events, seconds)
	if len(got) != len(want) {
		t.Errorf("%d rows of %d seconds, want %d", len(got), seconds, len(want))
	}
	wrong := 0
	for w, in := range want {
		g, err1 := json.Marshal(got[w])
		e, err2 := json.Marshal(shareOf(in))
		if err := cmp.Or(err1, err2); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(g, e) && wrong < 3 {
			wrong++
			i := 0
			for i < min(len(g), len(e)) && g[i] == e[i] {
				i++
			}
			from := max(0, i-60)
			t.Errorf("%v: …%.150s…, want …%.150s…", w, g[from:], e[from:])
		}
	}
}

// randomEvents returns n events within so many hours from start.
func randomEvents(r *rand.Rand, n int, start time.Time, hours int) []logged {
	events := make([]logged, n)
	step := time.Duration(hours) * time.Hour / time.Duration(n)
	for i := range events {
		e := logged{
			at:      start.Add(time.Duration(i)*step + time.Duration(r.Int64N(int64(step)))).Truncate(time.Microsecond),
			service: []string{"checkout", "search", ""}[r.IntN(3)],
			kept:    r.IntN(2) == 0,
			level:   []string{"INFO", "INFO", "WARN", "ERROR", "CRITICAL"}[r.IntN(5)],
			user:    r.Uint64N(500),
		}
		if e.level == "ERROR" || e.level == "CRITICAL" {
			e.pattern = int64(hash(1 + r.Uint64N(40)))
		}
		if r.IntN(4) > 0 {
			e.status = []int{200, 200, 404, 500}[r.IntN(4)]
			e.endpoint = fmt.Sprintf("/route/%d", int(math.Abs(r.NormFloat64())*130)) // more than 200
			e.ms = math.Floor(math.Exp(5+1.5*r.NormFloat64())) + float64(i)/100000
		}
		events[i] = e
	}
	r.Shuffle(n, func(i, j int) { events[i], events[j] = events[j], events[i] })
	return events
}
