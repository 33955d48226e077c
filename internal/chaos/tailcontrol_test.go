package chaos_test

import (
	"testing"

	"logflume/internal/chaos"
	"logflume/internal/testkit"
)

// tailings are what a program does not survive that follows files by name and keeps its positions apart from the rows.
var tailings = map[string]struct {
	more    string   // of its configuration
	options []string // of the writer
	kill    bool
	caught  func(chaos.Verdict) bool
}{
	"rename":       {options: []string{"-mode", "rename", "-rotate", "20ms"}, caught: lostOrDoubled},
	"rename, poll": {more: "control: {poll: true}", options: []string{"-mode", "rename"}, caught: lost},
	"copytruncate": {options: []string{"-mode", "copytruncate", "-rotate", "20ms"}, caught: lostOrDoubled},
	"kill":         {more: "control: {poll: true}", options: []string{"-rotate", "0"}, kill: true, caught: doubled},
}

func lost(v chaos.Verdict) bool          { return v.Missing > 0 }
func doubled(v chaos.Verdict) bool       { return v.Duplicated > 0 }
func lostOrDoubled(v chaos.Verdict) bool { return v.Missing+v.Duplicated > 0 }

// The judge must catch what is lost and doubled by a program as it is often written.
func TestTailControl(t *testing.T) {
	for name, test := range tailings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireCaught(t, chaos.ChosenSize(), test.caught, func(t *testing.T, size chaos.Size) chaos.Verdict {
				size.Lines, size.Kills = 3_000, 3
				r := chaos.NewRig(t, size, testkit.Program(t, "./internal/chaos/tailcontrol"))
				r.Configure(test.more)
				i := r.Start()
				r.Go("slog", test.options...)
				if test.kill {
					i = r.KillLoop(i)
				}
				r.WaitWriters()
				i.Terminate()
				return r.Judge()
			})
		})
	}
}
