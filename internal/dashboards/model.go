package main

import (
	"fmt"
	"math"
	"math/rand/v2"
)

const (
	gamma      = 1.01 / 0.99
	spread     = 0.8 // of the logarithm of response times
	population = 50_000
	tenants    = 200
	patterns   = 60 // of a service
	registers  = 1 << 12
)

// A model is a fleet whose windows can be written down without making its events one by one.
type model struct {
	services  []service
	perSecond float64 // requests of the whole fleet
}

type service struct {
	name      string
	share     float64 // of the fleet's requests
	endpoints []endpoint
}

type endpoint struct {
	route string
	hash  int64
	share float64 // of the service's requests
	first int     // number of the bucket of shape[0]
	shape []float64
}

// newModel returns a fleet of so many services with so many endpoints each, whose traffic follows Zipf's law.
func newModel(services, endpoints int, perSecond float64) *model {
	m := &model{perSecond: perSecond}
	random := rand.New(rand.NewPCG(1, 2))
	for i, share := range zipf(services) {
		s := service{name: fmt.Sprintf("service-%02d", i), share: share}
		for j, share := range zipf(endpoints) {
			e := endpoint{route: fmt.Sprintf("/%s/resource-%03d/{n}", s.name, j), hash: random.Int64(), share: share}
			e.first, e.shape = lognormal(2 + 5*random.Float64())
			s.endpoints = append(s.endpoints, e)
		}
		m.services = append(m.services, s)
	}
	return m
}

func zipf(n int) []float64 {
	shares, sum := make([]float64, n), 0.0
	for i := range shares {
		shares[i] = 1 / float64(i+1)
		sum += shares[i]
	}
	for i := range shares {
		shares[i] /= sum
	}
	return shares
}

// lognormal returns the parts of response times around e^mu milliseconds that fall into each bucket.
func lognormal(mu float64) (first int, shape []float64) {
	below := func(bucket int) float64 {
		return 0.5 * math.Erfc(-(float64(bucket)*math.Log(gamma)-mu)/spread/math.Sqrt2)
	}
	first = int((mu - 4.5*spread) / math.Log(gamma))
	last := int((mu + 4.5*spread) / math.Log(gamma))
	for k := first; k <= last; k++ {
		shape = append(shape, below(k)-below(k-1))
	}
	return first, shape
}

// A window holds what happened in one service in some time. Windows add up.
type window struct {
	service   *service
	histogram [][]int64 // by endpoint and bucket
	counts    []int64   // by pattern
	users     []uint8   // HyperLogLog registers
	requests  int64
	errors    int64
}

// requestsOf returns how many requests of an endpoint there were.
func (w *window) requestsOf(endpoint int) (n int64) {
	for _, c := range w.histogram[endpoint] {
		n += c
	}
	return n
}

// overall returns the histogram of all endpoints together and the number of its first bucket.
func (w *window) overall() (first int, counts []int64) {
	first = math.MaxInt
	last := math.MinInt
	for _, e := range w.service.endpoints {
		first, last = min(first, e.first), max(last, e.first+len(e.shape))
	}
	counts = make([]int64, last-first)
	for i, e := range w.service.endpoints {
		for k, n := range w.histogram[i] {
			counts[e.first+k-first] += n
		}
	}
	return first, counts
}

func newWindow(s *service) *window {
	w := &window{service: s, counts: make([]int64, patterns), users: make([]uint8, registers)}
	for i := range s.endpoints {
		w.histogram = append(w.histogram, make([]int64, len(s.endpoints[i].shape)))
	}
	return w
}

// happen returns a window of so many seconds.
func (m *model) happen(s *service, seconds float64, random *rand.Rand) *window {
	w := newWindow(s)
	for i := range s.endpoints {
		e := &s.endpoints[i]
		requests := m.perSecond * seconds * s.share * e.share
		for k, part := range e.shape {
			n := int64(requests*part + random.Float64()) // that many on average
			w.histogram[i][k] = n
			w.requests += n
		}
	}
	for i := range w.counts {
		w.counts[i] = int64(float64(w.requests)/100/float64(i+1) + random.Float64())
		w.errors += w.counts[i]
	}
	for range min(w.requests, population/10) {
		h := mix(random.Uint64N(population))
		w.users[h>>52] = max(w.users[h>>52], uint8(min(leadingZeros(h<<12)+1, 53)))
	}
	return w
}

// add adds what happened in o.
func (w *window) add(o *window) {
	for i := range o.histogram {
		for k, n := range o.histogram[i] {
			w.histogram[i][k] += n
		}
	}
	for i, n := range o.counts {
		w.counts[i] += n
	}
	for i, rho := range o.users {
		w.users[i] = max(w.users[i], rho)
	}
	w.requests += o.requests
	w.errors += o.errors
}
