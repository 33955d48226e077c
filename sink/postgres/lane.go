package postgres

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"logflume/pipeline"
)

// A lane is the queue of one stream's parts that are not committed yet. Its parts follow each other without a gap, so
// all of them together are one step of the stream's position.
type lane struct {
	stream *pipeline.Stream
	parts  []*part

	asked       int64     // position that was sent with the last COMMIT that had no answer; meaningless at or before from
	lockedSince time.Time // since when the position row was found locked; zero while it is not
	reported    bool      // who holds the row was logged

	stalled      string    // where the writer that holds the row stood when it was last seen to wait for its client; "" if it did not
	stalledSince time.Time // since when
}

func (l *lane) from() int64 { return l.parts[0].from }
func (l *lane) to() int64   { return l.parts[len(l.parts)-1].to }

// ledger sums up the parts.
func (l *lane) ledger() pipeline.Ledger {
	var sum pipeline.Ledger
	for _, p := range l.parts {
		sum.Add(p.ledger)
	}
	return sum
}

// meta joins the parts' objects.
func (l *lane) meta() string {
	var joined []byte
	for i, p := range l.parts {
		if i == 0 {
			joined = append(joined, p.meta...)
			continue
		}
		joined = mergeMeta(joined, p.meta)
	}
	if len(joined) == 0 {
		return "{}"
	}
	return string(joined)
}

// services joins what the parts note of services: an object of seconds since the epoch.
func (l *lane) services() string {
	var joined map[string]int64
	for _, p := range l.parts {
		for service, window := range p.services {
			joined = latest(joined, service, window/1e6)
		}
	}
	if joined == nil {
		return "{}"
	}
	object, err := json.Marshal(joined)
	if err != nil {
		panic("encode services: " + err.Error()) // strings and numbers always encode
	}
	return string(object)
}

// batches calls yield for every batch of the lane, in order.
func (l *lane) batches(yield func(*pipeline.Batch) bool) {
	for _, p := range l.parts {
		for _, b := range p.batches {
			if !yield(b) {
				return
			}
		}
	}
}

// advance removes the parts up to position to, where a part ends, and returns what they add up to. The batches are
// given back.
func (l *lane) advance(to int64, h *held) pipeline.Ledger {
	var sum pipeline.Ledger
	n := 0
	for n < len(l.parts) && l.parts[n].to <= to {
		sum.Add(l.parts[n].ledger)
		h.release(l.parts[n].batches...)
		n++
	}
	l.parts = slices.Delete(l.parts, 0, n)
	return sum
}

// release gives all batches back uncommitted.
func (l *lane) release(h *held) { l.advance(math.MaxInt64, h) }
