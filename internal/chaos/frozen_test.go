package chaos_test

import (
	"testing"

	"logflume/internal/chaos"
	"logflume/internal/testkit"
)

// Two instances on the same files. The one that writes hangs in the middle of a COPY, where no time-out of the server's
// reaches it; the other one takes its place, and it becomes the standby.
func TestFrozenWriter(t *testing.T) {
	t.Parallel()
	p := chaos.NewRig(t, chaos.ChosenSize(), testkit.Binary(t)).Pair()
	p.FreezeLoop(times(1, 10))
	finish(p.Rig, p.Instances()...)
}

// Two instances on the same files. The one that writes is killed.
func TestTakeover(t *testing.T) {
	t.Parallel()
	p := chaos.NewRig(t, chaos.ChosenSize(), testkit.Binary(t)).Pair()
	p.KillLoop(times(2, 20))
	finish(p.Rig, p.Instances()...)
}
