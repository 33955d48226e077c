package chaos_test

import (
	"testing"

	"logflume/internal/chaos"
	"logflume/internal/testkit"
)

// troubles prepares a run on a server of its own.
func troubles(t *testing.T) *chaos.Troubles {
	t.Helper()
	t.Parallel()
	return chaos.NewCrashRig(t, shortWriters(), testkit.Binary(t)).Troubles()
}

// Locks, connections and the right to write are not to be had for a while; transactions are cancelled, ended, deadlocked.
func TestTroublesThatPass(t *testing.T) {
	r := troubles(t)
	i := r.PassingLoop(r.Start(), times(1, 8))
	r.Momentary(times(1, 10))
	finish(r.Rig, i)
}

// Rights are taken away and tables and columns are missing, until somebody puts that right.
func TestTroublesThatLast(t *testing.T) {
	r := troubles(t)
	i := r.LastingLoop(r.Start(), times(1, 6))
	finish(r.Rig, i)
}
