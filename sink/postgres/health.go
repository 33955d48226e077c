package postgres

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Health is the state of the sink as the readiness check shows it.
type Health struct {
	Faults []Fault // what keeps going wrong, longest first

	Paused []Paused // sources that have as many dead letters as they may

	Locked      int   // streams that wait because another session holds their position row
	Fenced      int64 // streams ended because somebody else moved their position
	Uncommitted int64 // lines in the sink that are not committed yet
}

// A Fault is what one part of the sink keeps meeting.
type Fault struct {
	Part  string // "writer", "checkpoints", "heartbeat", "partitions", "compaction" or "retention"
	Class Class
	Error string // what the database says, without data
	Since time.Time
}

// Parts of the sink that meet faults of their own.
const (
	partWriter      = "writer"
	partCheckpoints = "checkpoints"
)

// A state keeps the faults that last and logs when one comes and goes, not each try. Safe for concurrent use.
type state struct {
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	faults  map[string]Fault // by part
	proven  map[string]bool  // parts that have worked since the start
	checked bool             // all will, as somebody has found
	locked  int
}

func newState(log *slog.Logger, now func() time.Time) *state {
	return &state{log: log, now: now, faults: map[string]Fault{}, proven: map[string]bool{}}
}

// failed records that a try of part failed with err.
func (s *state) failed(part string, err error) {
	class, text := Classify(err), describe(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := s.faults[part]
	if known && before.Class == class {
		before.Error = text
		s.faults[part] = before
		return
	}
	alone := class != Unreachable || !s.unreachableLocked() // one line when the database goes, not one for each part
	s.faults[part] = Fault{Part: part, Class: class, Error: text, Since: s.now()}
	if alone {
		s.log.Warn("database does not do its part, trying again", "for", part, "state", class.String(), "error", text)
	}
}

// worked records that part succeeded, or that it no longer tries.
func (s *state) worked(part string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proven[part] = true
	s.clearLocked(part)
}

// gaveUp forgets the fault of a part that no longer tries.
func (s *state) gaveUp(part string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.faults, part)
}

func (s *state) clearLocked(part string) {
	before, known := s.faults[part]
	if !known {
		return
	}
	delete(s.faults, part)
	if before.Class == Unreachable && s.unreachableLocked() {
		return // the last part to come back says so
	}
	s.log.Info("database works again", "for", part, "was", before.Class.String(),
		"after", s.now().Sub(before.Since).Round(time.Millisecond))
}

func (s *state) unreachableLocked() bool {
	for _, f := range s.faults {
		if f.Class == Unreachable {
			return true
		}
	}
	return false
}

// isProven reports whether part has worked since the start, or was found to be able to.
func (s *state) isProven(part string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checked || s.proven[part]
}

func (s *state) setChecked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checked = true
}

func (s *state) setLocked(n int) {
	s.mu.Lock()
	s.locked = n
	s.mu.Unlock()
}

// health returns what the state knows.
func (s *state) health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := slices.Collect(maps.Values(s.faults))
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Part, b.Part))
	})
	return Health{Faults: faults, Locked: s.locked}
}
