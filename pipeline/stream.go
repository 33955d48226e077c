package pipeline

import (
	"context"
	"errors"
	"sync"
)

// ErrMoved fences a stream whose position somebody else advanced: another instance, or a commit of ours whose answer
// was lost. The source starts again at the stored position.
var ErrMoved = errors.New("position was moved by another writer")

// ErrGone fences a stream whose row is no longer in log_positions. The source must not start again at 0.
var ErrGone = errors.New("position row is gone")

// ErrPaused fences a stream whose source has as many dead letters as it may. It is an [ErrMoved] to sources that do not
// ask further: they begin again at the stored position after a while, and are fenced again at the next dead letter unless
// letters have been taken away meanwhile.
var ErrPaused error = pausedError{}

type pausedError struct{}

func (pausedError) Error() string        { return "the source's dead letters have reached their limit" }
func (pausedError) Is(target error) bool { return target == ErrMoved }

// A Stream is one started reading of one row of log_positions, and so one generation of it. Batches carry their
// Stream; once it is fenced the sink discards them unseen, whatever they hold. Safe for concurrent use.
type Stream struct {
	Checkpoint // as it was when the reading started

	mu        sync.Mutex
	committed int64         // position that is durable
	fence     error         // why the reading ended, nil while it is good
	blocked   bool          // the sink cannot commit this stream now
	held      int64         // bytes of the budget that its batches hold
	changed   chan struct{} // closed and replaced at every change
}

// NewStream starts a reading at c.
func NewStream(c Checkpoint) *Stream {
	return &Stream{Checkpoint: c, committed: c.Position, changed: make(chan struct{})}
}

// Commit records that everything up to position to is durable. The sink calls it.
func (s *Stream) Commit(to int64) { s.change(func() { s.committed = to; s.blocked = false }) }

// Fence ends the reading with err, [ErrMoved] or [ErrGone]. The first call decides. The sink calls it when the
// compare-and-set did not match; a source may call it to abandon what it has sent.
func (s *Stream) Fence(err error) {
	s.change(func() {
		if s.fence == nil {
			s.fence = err
		}
	})
}

// Block says whether the sink has to hold back this stream's batches, because its row is locked. While it is blocked
// [Intake.Batch] gives the source no further memory, so that one locked stream cannot use up the budget of all.
func (s *Stream) Block(blocked bool) {
	s.mu.Lock()
	same := s.blocked == blocked
	s.mu.Unlock()
	if !same {
		s.change(func() { s.blocked = blocked })
	}
}

// Blocked reports whether the sink holds back this stream's batches.
func (s *Stream) Blocked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blocked
}

func (s *Stream) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// Committed returns the durable position.
func (s *Stream) Committed() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.committed
}

// Err returns why the stream was fenced, or nil.
func (s *Stream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fence
}

// Changed returns a channel that is closed at the next commit, fence or block. Take it before looking at the state.
func (s *Stream) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// WaitCommitted waits until position to is durable. It returns the fence's error, or ctx's.
func (s *Stream) WaitCommitted(ctx context.Context, to int64) error {
	return s.wait(ctx, func() bool { return s.committed >= to })
}

// waitAdmitted waits until the stream is not blocked and holds at most share bytes, or none.
func (s *Stream) waitAdmitted(ctx context.Context, share int64) error {
	if err := s.Err(); err != nil {
		return err
	}
	return s.wait(ctx, func() bool { return !s.blocked && (s.held <= share || s.held == 0) })
}

func (s *Stream) hold(n int64) { s.change(func() { s.held += n }) }

func (s *Stream) wait(ctx context.Context, until func() bool) error {
	for {
		s.mu.Lock()
		ok, err, changed := until(), s.fence, s.changed
		s.mu.Unlock()
		switch {
		case ok:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
