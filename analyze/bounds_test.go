package analyze

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"logflume/pipeline"
)

// Any split and order of the events leads to the same endpoints with a histogram of their own.
func TestEndpointsBeyondTheLimit(t *testing.T) {
	t.Parallel()
	var events []pipeline.Event
	for i := range 1000 {
		for range 1 + i%3 {
			events = append(events, pipeline.Event{Endpoint: fmt.Sprintf("/route/%d", i), ResponseTime: float64(1 + i%7)})
		}
	}
	share := func() latencyRows {
		a := NewAggregate(Options{})
		a.Add(&pipeline.Batch{Events: events})
		return rows(t, a)[rowKey{}].Summary.Latency
	}
	want := share()
	if len(want) != maxEndpoints+1 {
		t.Fatalf("%d endpoints, want %d and other", len(want), maxEndpoints)
	}
	total, greatest, least := int64(0), int64(math.MinInt64), int64(math.MaxInt64)
	for endpoint, l := range want {
		total += l.N
		if endpoint != "other" {
			greatest = max(greatest, *l.H)
		}
	}
	if total != int64(len(events)) {
		t.Errorf("%d events in histograms, want %d", total, len(events))
	}
	a := NewAggregate(Options{})
	for i := range events {
		if _, ok := want[events[i].Endpoint]; !ok {
			a.Add(&pipeline.Batch{Events: events[i : i+1]})
			for _, l := range rows(t, a)[rowKey{}].Summary.Latency {
				least = min(least, *l.H)
			}
			a.Reset()
		}
	}
	if least <= greatest {
		t.Error("an endpoint has a histogram although one without has a lesser hash")
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 5 {
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		if got := share(); fmt.Sprint(flat(got)) != fmt.Sprint(flat(want)) {
			t.Fatal("another order gives another result")
		}
	}
}

type latencyRows = map[string]latencyRow

// flat lists rows by endpoint, without pointers.
func flat(l latencyRows) (out []string) {
	for endpoint, v := range l {
		v.H = nil
		out = append(out, fmt.Sprint(endpoint, v))
	}
	slices.Sort(out)
	return out
}

func TestHostileInputIsBounded(t *testing.T) {
	t.Parallel()
	var events []pipeline.Event
	long := strings.Repeat("語", 400)
	for i := range 12_000 {
		events = append(events, pipeline.Event{
			Service: fmt.Sprint("service-", i), Level: fmt.Sprint("LEVEL", i), Status: int16(1 + i),
			Endpoint: long, TraceID: long, ResponseTime: float64(i), Slow: true,
		})
		events = append(events, pipeline.Event{Service: long, Level: "ERROR", ResponseTime: math.Inf(1), PatternID: int64(i + 1), Pattern: long, Message: long})
	}
	a := NewAggregate(Options{})
	a.Add(&pipeline.Batch{Events: events})
	got := rows(t, a)
	if len(got) != maxServices {
		t.Errorf("%d services", len(got))
	}
	total := int64(0)
	for _, r := range got {
		total += r.Summary.TotalLogs
	}
	if total != int64(len(events)) {
		t.Errorf("%d events, want %d", total, len(events))
	}
	other := got[rowKey{0, "other"}]
	if n := len(other.Summary.Levels); n != maxKeys+1 {
		t.Errorf("%d levels", n)
	}
	if n := len(other.Summary.Statuses); n != maxKeys+1 {
		t.Errorf("%d statuses", n)
	}
	if n := len(other.Patterns); n != maxPatterns {
		t.Errorf("%d patterns", n)
	}
	if n := other.Summary.UniquePatterns; n != 12_000 {
		t.Errorf("%d unique patterns", n)
	}
	if n := len(other.Patterns[0].Sample); n > maxPatternText || !strings.HasPrefix(long, other.Patterns[0].Sample) {
		t.Errorf("sample of %d bytes", n)
	}
	if n := len(*other.Issues[0].Endpoint); n > maxRoute {
		t.Errorf("endpoint of %d bytes", n)
	}
	a.Reset()
	if n := len(a.spare); n > maxSpare {
		t.Errorf("%d shares are kept", n)
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	b := batches(randomEvents(r, 2000))[0]
	a := NewAggregate(Options{})
	round := func() {
		a.Add(b)
		a.Rows(func(*pipeline.Share) {})
		a.Reset()
	}
	for range 10 {
		round()
	}
	if allocs := testing.AllocsPerRun(20, round); allocs > 20 {
		t.Errorf("%v allocations for %d events", allocs, len(b.Events))
	}
}

func TestHistogramError(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 10))
	var h histogram
	var values []float64
	for range 20_000 {
		ms := math.Exp(r.NormFloat64()*2 + 4)
		values = append(values, ms)
		h.add(bucketOf(ms), 1)
	}
	slices.Sort(values)
	for _, q := range []float64{0.01, 0.5, 0.9, 0.95, 0.99, 0.999} {
		want := values[int(math.Ceil(q*float64(len(values))))-1]
		if got := quantile(&h, q); math.Abs(got-want)/want > relativeError+1e-9 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

// quantile reads a quantile the way the SQL functions do.
func quantile(h *histogram, q float64) float64 {
	total := int64(0)
	for _, b := range h.bins {
		total += int64(b.n)
	}
	rank := int64(math.Ceil(q * float64(total)))
	for _, b := range h.bins {
		if rank -= int64(b.n); rank <= 0 {
			return 2 * math.Pow(gamma, float64(b.bucket)) / (gamma + 1)
		}
	}
	return math.NaN()
}

func TestBucketBorders(t *testing.T) {
	t.Parallel()
	for k := int32(-1000); k < 2000; k++ {
		border := math.Pow(gamma, float64(k))
		for _, ms := range []float64{border * (1 - 1e-12), border * (1 + 1e-12)} {
			got := bucketOf(ms)
			if want := int32(math.Ceil(math.Log(ms) / math.Log(1.01/0.99))); got != want {
				t.Fatalf("bucket of %v is %d, want %d", ms, got, want)
			}
		}
		if low, high := bucketOf(border*(1-1e-9)), bucketOf(border*(1+1e-9)); low != k || high != k+1 {
			t.Fatalf("around %v: buckets %d and %d, want %d and %d", border, low, high, k, k+1)
		}
	}
	for _, ms := range []float64{0, -5, 1e-9, math.Inf(-1)} {
		if got := bucketOf(ms); got != math.MinInt32 {
			t.Errorf("bucket of %v is %d", ms, got)
		}
	}
}

func TestHyperLogLogError(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 12))
	for _, n := range []int{10, 200, 1000, 5000, 50_000} {
		squares, runs := 0.0, 40
		for range runs {
			var h hyperLogLog
			for range n {
				hash := r.Uint64()
				h.add(hash)
				h.add(hash)
			}
			d := estimate(&h)/float64(n) - 1
			squares += d * d
		}
		if rms := math.Sqrt(squares / float64(runs)); rms > 0.02 {
			t.Errorf("%d values: error %.2f %% rms", n, 100*rms)
		}
	}
}

// estimate is the plain estimator with linear counting for small sets.
func estimate(h *hyperLogLog) float64 {
	const m = float64(registers)
	sum, filled := 0.0, 0
	last := int64(-1)
	h.entries(func(entry uint32) {
		if register := int64(entry / 64); register <= last {
			panic("registers are not in ascending order")
		} else {
			last = register
		}
		sum += math.Pow(2, -float64(entry%64))
		filled++
	})
	empty := m - float64(filled)
	sum += empty
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && empty > 0 {
		return m * math.Log(m/empty)
	}
	return e
}

func TestHyperLogLogEntry(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		hash uint64
		want uint32
	}{
		{0, 53}, {1, 52}, {1 << 51, 1}, {0xfff << 52, 4095*64 + 53}, {0x001<<52 | 1<<50, 1*64 + 2},
	} {
		var h hyperLogLog
		h.add(tt.hash)
		h.entries(func(entry uint32) {
			if entry != tt.want {
				t.Errorf("entry of %#x is %d, want %d", tt.hash, entry, tt.want)
			}
		})
	}
}
