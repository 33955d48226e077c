package analyze

import (
	"cmp"
	"slices"
)

const (
	maxSlowest = 100
	maxTrace   = 256 // bytes
)

// slowest keeps the slowest requests, at most maxSlowest, as a heap with the least slow on top.
type slowest struct {
	heap []request
}

type request struct {
	ms       float64
	time     int64
	endpoint string
	trace    string
}

// rank orders requests by how slow they were. Equal ones have an order too, so that the choice does not depend on
// which came first.
func rank(a, b request) int {
	return cmp.Or(cmp.Compare(a.ms, b.ms), cmp.Compare(b.time, a.time),
		cmp.Compare(b.endpoint, a.endpoint), cmp.Compare(b.trace, a.trace))
}

func (s *slowest) add(r request) {
	if len(s.heap) < maxSlowest {
		s.heap = append(s.heap, r)
		s.up(len(s.heap) - 1)
		return
	}
	if rank(r, s.heap[0]) > 0 {
		s.heap[0] = r
		s.down(0)
	}
}

func (s *slowest) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if rank(s.heap[i], s.heap[parent]) >= 0 {
			return
		}
		s.heap[i], s.heap[parent] = s.heap[parent], s.heap[i]
		i = parent
	}
}

func (s *slowest) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(s.heap); child++ {
			if rank(s.heap[child], s.heap[least]) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		s.heap[i], s.heap[least] = s.heap[least], s.heap[i]
		i = least
	}
}

// sort puts the least slow first, which is a heap still.
func (s *slowest) sort() { slices.SortFunc(s.heap, rank) }

func (s *slowest) reset() {
	clear(s.heap)
	s.heap = s.heap[:0]
}
