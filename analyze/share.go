package analyze

import (
	"math"

	"github.com/cespare/xxhash/v2"

	"logflume/pipeline"
)

// A share is what a segment adds to one window of one service.
type share struct {
	window  int64
	service string

	total, kept, errors, slow, requests, failed int64

	levels   tally[string]
	statuses tally[int16]
	latency  latencies
	patterns errorPatterns
	slowest  slowest

	users, tenants, patternIDs hyperLogLog
}

// add counts one event.
func (s *share) add(e *pipeline.Event) {
	s.total++
	if e.Fate == pipeline.Keep {
		s.kept++
	}
	if e.Level != "" {
		s.levels.add(e.Level)
	}
	if e.UserID != "" {
		s.users.add(xxhash.Sum64String(e.UserID))
	}
	if e.TenantID != "" {
		s.tenants.add(xxhash.Sum64String(e.TenantID))
	}
	failed := false
	if isError(e) {
		s.addError(e)
		failed = e.Status == 0
	}
	if e.Status != 0 {
		s.statuses.add(e.Status)
		failed = e.Status >= 500
	}
	if failed {
		s.failed++
	}
	timed := e.HasResponseTime() && !math.IsInf(e.ResponseTime, 0)
	if e.Status != 0 || timed {
		s.requests++
	}
	if timed {
		s.addLatency(e)
	}
}

func (s *share) addError(e *pipeline.Event) {
	s.errors++
	if e.PatternID == 0 {
		return
	}
	s.patterns.add(e)
	s.patternIDs.add(uint64(e.PatternID)) // which is a hash already
}

func (s *share) addLatency(e *pipeline.Event) {
	s.latency.add(e.Endpoint, e.ResponseTime, e.Slow)
	if e.Slow {
		s.slow++
		s.slowest.add(request{ms: e.ResponseTime, time: e.Time, endpoint: e.Endpoint, trace: e.TraceID})
	}
}

// reset empties s and keeps its memory.
func (s *share) reset() {
	s.levels.reset()
	s.statuses.reset()
	s.latency.reset()
	s.patterns.reset()
	s.slowest.reset()
	s.users.reset()
	s.tenants.reset()
	s.patternIDs.reset()
	s.window, s.service = 0, ""
	s.total, s.kept, s.errors, s.slow, s.requests, s.failed = 0, 0, 0, 0, 0, 0
}
