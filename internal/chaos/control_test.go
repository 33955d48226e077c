package chaos_test

import (
	"testing"

	"logflume/internal/chaos"
	"logflume/internal/testkit"
)

// controls are the tags of programs that commit the position and the rows one after the other, and how the judge tells.
var controls = map[string]func(chaos.Verdict) bool{
	"control_position_first": func(v chaos.Verdict) bool { return v.Missing > 0 },
	"control_rows_first":     func(v chaos.Verdict) bool { return v.Duplicated > 0 },
}

// The judge must catch programs that are wrong on purpose.
func TestControls(t *testing.T) {
	for tag, caught := range controls {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			requireCaught(t, chaos.ChosenSize(), caught, func(t *testing.T, size chaos.Size) chaos.Verdict {
				return faultyRun(t, size, testkit.Binary(t, tag))
			})
		})
	}
}

// requireCaught fails the test unless one of several runs of a wrong program is caught.
func requireCaught(t *testing.T, size chaos.Size, caught func(chaos.Verdict) bool, run func(*testing.T, chaos.Size) chaos.Verdict) {
	t.Helper()
	for round := 1; round <= size.Rounds; round++ {
		if caught(run(t, size)) {
			t.Logf("caught in round %d", round)
			return
		}
	}
	t.Errorf("nothing was found wrong in %d rounds", size.Rounds)
}

// faultyRun kills the program while it reads what was written before, when it commits without pause, and returns the
// verdict.
func faultyRun(t *testing.T, size chaos.Size, program string) chaos.Verdict {
	size.Lines = 20_000
	r := chaos.NewRig(t, size, program)
	r.Configure("flush: {interval: 20ms, rows: 500}")
	r.Go("slog", "-rate", "0")
	r.WaitWriters()
	i := r.KillWhileBehind(r.Start())
	r.Settle()
	i.Terminate()
	return r.Judge()
}
