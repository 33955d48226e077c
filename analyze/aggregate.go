package analyze

import (
	"time"

	"logflume/pipeline"
)

const (
	maxServices = 1000 // of their own in one window; the rest are counted together
	maxService  = 256  // bytes of a service's name
	maxSpare    = 64   // shares, and as many windows, kept for reuse

	otherServices = "other"
)

// An Aggregate sums up a segment's events in shares of windows; it is the sink's pipeline.Aggregate. Call Rows before
// the batches that were added are released: until Reset it points into their memory, so that adding an event copies
// and allocates nothing.
//
// Its memory is in proportion to the segment whatever the events hold: at most maxServices services a window and 64
// levels and statuses a share are told apart, what is beyond them is counted under "other"; distinct users take 4 KiB
// at most.
type Aggregate struct {
	width   int64 // microseconds
	windows map[int64]*window
	current *window // the last one used: events come in the order of time, mostly
	used    []*share

	spare        []*share
	spareWindows []*window

	row                       pipeline.Share
	patterns, issues, summary []byte
}

var _ pipeline.Aggregate = (*Aggregate)(nil)

type window struct {
	start    int64
	services map[string]*share
}

// NewAggregate returns an empty aggregate.
func NewAggregate(o Options) *Aggregate {
	o = o.withDefaults()
	return &Aggregate{width: o.Window.Microseconds(), windows: map[int64]*window{}}
}

// Add counts the events of b that are not dropped.
func (a *Aggregate) Add(b *pipeline.Batch) {
	for i := range b.Events {
		e := &b.Events[i]
		if e.Fate == pipeline.Drop {
			continue
		}
		a.share(e.Time, e.Service).add(e)
	}
}

// share returns the share that an event of that time and service belongs to.
func (a *Aggregate) share(t int64, service string) *share {
	w := a.current
	if w == nil || t < w.start || t >= w.start+a.width {
		w = a.window(t)
	}
	if s, ok := w.services[service]; ok {
		return s
	}
	return a.newShare(w, service)
}

// window makes the window of time t the current one.
func (a *Aggregate) window(t int64) *window {
	start := t - t%a.width
	if t%a.width < 0 {
		start -= a.width
	}
	w, ok := a.windows[start]
	if !ok {
		w = a.newWindow(start)
		a.windows[start] = w
	}
	a.current = w
	return w
}

func (a *Aggregate) newWindow(start int64) *window {
	n := len(a.spareWindows)
	if n == 0 {
		return &window{start: start, services: map[string]*share{}}
	}
	w := a.spareWindows[n-1]
	a.spareWindows = a.spareWindows[:n-1]
	w.start = start
	return w
}

func (a *Aggregate) newShare(w *window, service string) *share {
	if service != otherServices && (len(w.services) >= maxServices || len(service) > maxService) {
		return a.share(w.start, otherServices)
	}
	s := new(share)
	if n := len(a.spare); n > 0 {
		s, a.spare = a.spare[n-1], a.spare[:n-1]
	}
	s.window, s.service = w.start, service
	w.services[service] = s
	a.used = append(a.used, s)
	return s
}

// Rows calls yield for each share, in the order in which they were first touched.
func (a *Aggregate) Rows(yield func(*pipeline.Share)) {
	for _, s := range a.used {
		a.patterns = s.appendErrorPatterns(a.patterns[:0])
		a.issues = s.appendPerformanceIssues(a.issues[:0])
		a.summary = s.appendSummary(a.summary[:0])
		a.row = pipeline.Share{
			Window: s.window, Seconds: int32(a.width / time.Second.Microseconds()), Service: s.service,
			ErrorPatterns: a.patterns, PerformanceIssues: a.issues, Summary: a.summary,
		}
		yield(&a.row)
	}
}

// Reset empties the aggregate and keeps its memory for the next segment.
func (a *Aggregate) Reset() {
	for _, s := range a.used {
		s.reset()
		if len(a.spare) < maxSpare {
			a.spare = append(a.spare, s)
		}
	}
	clear(a.used)
	a.used = a.used[:0]
	for _, w := range a.windows {
		clear(w.services)
		if len(a.spareWindows) < maxSpare {
			a.spareWindows = append(a.spareWindows, w)
		}
	}
	clear(a.windows)
	a.current = nil
	a.row = pipeline.Share{}
}
