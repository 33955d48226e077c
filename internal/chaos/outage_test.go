package chaos_test

import (
	"testing"

	"logflume/internal/chaos"
	"logflume/internal/testkit"
)

// shortWriters is the chosen size with few lines a writer, for runs that start another writer when one is done.
func shortWriters() chaos.Size {
	size := chaos.ChosenSize()
	size.Lines /= 3
	return size
}

// times returns how often a run does what it does: few times in a small size, many in the full one.
func times(few, many int) int {
	if size := chaos.ChosenSize(); size.IsFull() {
		return many
	}
	return few
}

// Connections are lost around COMMIT, in COPY, and at any other time, and answers do not come.
func TestOutages(t *testing.T) {
	t.Parallel()
	r := chaos.NewRig(t, shortWriters(), testkit.Binary(t)).Outages()
	i := r.Loop(r.Start(), times(1, 5))
	for range times(0, 3) {
		i = r.LostHost(i)
	}
	for range times(0, 1) {
		r.Silence()
	}
	finish(r.Rig, i)
}
