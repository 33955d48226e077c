package parse

import (
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"logflume/pipeline"
)

// A Filter decides which events go on, by the operator's rules. It is read only once made.
type Filter struct {
	drop, keep *rule // nil when there is none
	sample     float64
}

// NewFilter compiles the rules, expressions of expr-lang over the names in filter_names.go; "" is no rule.
//
// An event that drop matches is dropped. If there is a keep, other events need it to match; of those it refuses, the
// share sample (0 to 1) is stored nevertheless. Without keep, sample is the share of all events that is stored; 0 then
// stands for no sampling. Refused events are still analysed. The sampling is by position, so that lines which are read
// again meet the same fate.
//
// A rule whose evaluation fails does not match. An error names rule, line, column and remedy; those of both rules are joined.
func NewFilter(drop, keep string, sample float64) (*Filter, error) {
	if !(sample >= 0 && sample <= 1) {
		return nil, fmt.Errorf("filter.sample: %v is no share; give a number from 0 to 1", sample)
	}
	f := &Filter{sample: sample}
	var dropErr, keepErr error
	f.drop, dropErr = newRule("filter.drop", drop)
	f.keep, keepErr = newRule("filter.keep", keep)
	if err := errors.Join(dropErr, keepErr); err != nil {
		return nil, err
	}
	if f.keep == nil && sample == 0 {
		f.sample = 1
	}
	return f, nil
}

// Processor returns a processor for one worker. It counts failed evaluations in stats.
func (f *Filter) Processor(stats *pipeline.Stats) pipeline.Processor {
	return &filter{Filter: f, stats: stats}
}

type filter struct {
	*Filter
	stats *pipeline.Stats
	state evaluation
}

// Process sets the fates of the events of b that have not expired.
func (f *filter) Process(b *pipeline.Batch) {
	failed := int64(0)
	seed := uint64(0)
	if f.sample > 0 && f.sample < 1 {
		seed = mix(xxhash.Sum64String(b.Stream.Key) ^ uint64(b.Stream.Epoch))
	}
	for i := range b.Events {
		e := &b.Events[i]
		if e.Fate != pipeline.Keep {
			continue
		}
		f.state.event, f.state.failed = e, false
		switch {
		case f.drop != nil && f.drop.matches(&f.state):
			e.Fate = pipeline.Drop
		case f.keep != nil && f.keep.matches(&f.state):
		case !f.sampled(seed, e):
			e.Fate = pipeline.Refuse
		}
		if f.state.failed {
			failed++
		}
	}
	f.state.event = nil
	f.stats.FilterErrors.Add(failed)
}

// sampled reports whether e is in the sample: by a hash of where it stands.
func (f *Filter) sampled(seed uint64, e *pipeline.Event) bool {
	if f.sample == 0 || f.sample == 1 {
		return f.sample == 1
	}
	h := mix(mix(seed^uint64(e.Offset)) ^ uint64(e.Index))
	return float64(h>>11)/(1<<53) < f.sample
}

// mix is the finalizer of SplitMix64: every bit of the result depends on every bit of x.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
