package analyze

import "math"

const (
	relativeError = 0.01
	gamma         = (1 + relativeError) / (1 - relativeError)

	// zeroBucket holds response times of nothing, or less: their logarithm is no number.
	zeroBucket = math.MinInt32
	leastTime  = 1e-9 // milliseconds

	maxSpareBuckets = 256
)

var logGamma = math.Log(gamma)

// A histogram counts response times in buckets whose borders grow by the factor gamma, so that every quantile read
// from it is within 1 % of a value that was counted (Masson, Rim, Lee: DDSketch, VLDB 2019).
type histogram struct {
	bins []bin // in ascending order of their buckets
}

type bin struct {
	bucket int32
	n      uint32
}

// bucketOf returns the bucket of a response time in milliseconds: the least k with gamma^k ≥ ms.
func bucketOf(ms float64) int32 {
	if ms <= leastTime {
		return zeroBucket
	}
	return int32(math.Ceil(math.Log(ms) / logGamma))
}

// add counts n response times in the bucket. A share has some ten buckets an endpoint, few hundred at most, so a sorted
// list is both small and quick.
func (h *histogram) add(bucket int32, n uint32) {
	low, high := 0, len(h.bins)
	for low < high {
		if middle := (low + high) / 2; h.bins[middle].bucket < bucket {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == len(h.bins) || h.bins[low].bucket != bucket {
		h.bins = append(h.bins, bin{})
		copy(h.bins[low+1:], h.bins[low:])
		h.bins[low] = bin{bucket: bucket}
	}
	h.bins[low].n += n
}

func (h *histogram) merge(o *histogram) {
	for _, b := range o.bins {
		h.add(b.bucket, b.n)
	}
}

// reset empties h and keeps its memory, unless that is more than most need.
func (h *histogram) reset() {
	if cap(h.bins) > maxSpareBuckets {
		h.bins = nil
		return
	}
	h.bins = h.bins[:0]
}
