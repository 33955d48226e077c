package analyze

import "github.com/cespare/xxhash/v2"

const (
	maxEndpoints = 200 // with a histogram of their own
	maxRoute     = 512 // bytes; longer ones are no routes

	otherEndpoints = "other"
)

// latencies holds the response times of one window and service by endpoint. The maxEndpoints with the least hashes
// have a histogram of their own, the others share one: whoever counts what part of a window in whatever order makes
// the same choice.
type latencies struct {
	byRoute  map[string]*endpoint
	admitted []*endpoint // capacity holds used ones for reuse
	greatest *endpoint   // of the admitted, by hash; nil while there is room
	other    endpoint
}

type endpoint struct {
	route   string
	hash    int64 // with a sign, as the database orders it when it merges
	n, slow int64
	sum     float64 // milliseconds
	max     float64
	histogram
}

// add counts a response time in milliseconds.
func (l *latencies) add(route string, ms float64, slow bool) {
	l.find(route).add(ms, slow)
}

// find returns where response times of the route are counted.
func (l *latencies) find(route string) *endpoint {
	if e, ok := l.byRoute[route]; ok {
		return e
	}
	if route == "" || len(route) > maxRoute || route == otherEndpoints {
		return &l.other
	}
	hash := int64(xxhash.Sum64String(route))
	if l.greatest != nil {
		if hash >= l.greatest.hash {
			return &l.other
		}
		return l.replace(route, hash)
	}
	e := l.admit()
	e.route, e.hash = route, hash
	if l.byRoute == nil {
		l.byRoute = make(map[string]*endpoint)
	}
	l.byRoute[route] = e
	if len(l.admitted) == maxEndpoints {
		l.findGreatest()
	}
	return e
}

// admit takes an endpoint that was used before, or a new one.
func (l *latencies) admit() *endpoint {
	n := len(l.admitted)
	if n < cap(l.admitted) {
		l.admitted = l.admitted[:n+1]
		if l.admitted[n] != nil {
			return l.admitted[n]
		}
		l.admitted[n] = new(endpoint)
		return l.admitted[n]
	}
	l.admitted = append(l.admitted, new(endpoint))
	return l.admitted[n]
}

// replace gives the place of the admitted endpoint with the greatest hash to the route, whose hash is less.
func (l *latencies) replace(route string, hash int64) *endpoint {
	e := l.greatest
	l.other.merge(e)
	delete(l.byRoute, e.route)
	e.reset()
	e.route, e.hash = route, hash
	l.byRoute[route] = e
	l.findGreatest()
	return e
}

func (l *latencies) findGreatest() {
	l.greatest = l.admitted[0]
	for _, e := range l.admitted[1:] {
		if e.hash > l.greatest.hash {
			l.greatest = e
		}
	}
}

func (l *latencies) reset() {
	clear(l.byRoute)
	for _, e := range l.admitted {
		e.reset()
	}
	l.admitted = l.admitted[:0]
	l.greatest = nil
	l.other.reset()
}

func (e *endpoint) add(ms float64, slow bool) {
	if e.n == 0 || ms > e.max {
		e.max = ms
	}
	e.n++
	e.sum += ms
	if slow {
		e.slow++
	}
	e.histogram.add(bucketOf(ms), 1)
}

func (e *endpoint) merge(o *endpoint) {
	if o.n == 0 {
		return
	}
	if e.n == 0 || o.max > e.max {
		e.max = o.max
	}
	e.n += o.n
	e.slow += o.slow
	e.sum += o.sum
	e.histogram.merge(&o.histogram)
}

func (e *endpoint) reset() {
	e.histogram.reset()
	*e = endpoint{histogram: e.histogram}
}
