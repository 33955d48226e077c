package chaos

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// A Way is what logflume is doing while a script operates on files.
type Way string

const (
	Live    Way = "live"    // it runs, and may be anywhere in what was written
	Stopped Way = "stopped" // it does not run: it was ended with SIGTERM or SIGKILL before
	Killed  Way = "killed"  // it is killed between any two steps and while it reads, and started at once or some steps later
	Frozen  Way = "frozen"  // it was stopped with SIGSTOP, with its files open, and goes on afterwards
	Behind  Way = "behind"  // it runs and reads, and can commit nothing, because somebody has locked log_events
)

// Ways returns all of them.
func Ways() []Way { return []Way{Live, Stopped, Killed, Frozen, Behind} }

// Operate runs steps while logflume is doing what the way says. It runs afterwards.
func (s *Script) Operate(steps func()) {
	s.t.Helper()
	switch s.Way {
	case Stopped:
		s.Down()
		steps()
	case Frozen:
		i := s.Up()
		i.freeze()
		steps()
		i.thaw()
	case Behind:
		s.Up()
		unlock := s.Lock()
		steps()
		unlock()
	default:
		s.Up()
		steps()
	}
	s.Up()
}

// Lock keeps everybody from adding events until unlock is called.
func (s *Script) Lock() (unlock func()) {
	s.t.Helper()
	ctx := s.t.Context()
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close(context.Background()) }) // or the schema could not be dropped
	if _, err = conn.Exec(ctx, "begin; lock table "+s.schema+".log_events in exclusive mode"); err != nil {
		s.t.Fatal(err)
	}
	return func() {
		s.t.Helper()
		if err := conn.Close(ctx); err != nil {
			s.t.Fatal(err)
		}
	}
}

// step comes before each operation on files. Where the way is to kill, it may kill the instance or start one.
func (s *Script) step() {
	s.t.Helper()
	if s.Way != Killed || !s.begun {
		return
	}
	switch chance := s.random.IntN(6); {
	case s.running == nil && chance < 4:
		s.Up()
	case s.running == nil:
	case chance < 2:
		s.killSoon()
	case chance < 4:
		s.killSoon()
		s.Up()
	}
}

// killSoon kills the instance, now or shortly after something was committed.
func (s *Script) killSoon() {
	s.t.Helper()
	if s.random.IntN(2) == 0 {
		s.Progress(shortly)
	}
	s.Kill()
}
