package chaos_test

import (
	"fmt"
	"slices"
	"testing"

	"logflume/internal/chaos"
	"logflume/internal/testkit"
)

// A scriptCase is something that is done to files.
type scriptCase struct {
	small    []chaos.Way // in which it is done in the small size
	settings chaos.Settings
	run      func(*testing.T, *chaos.Script)
}

const (
	backlog = 5_000 // lines: several batches
	seeds   = 3     // runs of each case and way in full size
)

// shortWait has copies and files that are gone wait for a short time only, for cases in which it has to pass.
var shortWait = chaos.Settings{Files: "copy_wait: 1s, grace: 1s"}

// What is done to files, in all ways. In the small size each case is done in some ways; the others are skipped.
func TestScript(t *testing.T) {
	t.Parallel()
	size := chaos.ChosenSize()
	for _, cases := range []map[string]scriptCase{renames, cuts, copies, contents, refusals, joins, limits} {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, way := range chaos.Ways() {
					if size.IsFull() || slices.Contains(c.small, way) {
						t.Run(string(way), func(t *testing.T) { runScript(t, size.IsFull(), way, c) })
					}
				}
			})
		}
	}
}

func runScript(t *testing.T, full bool, way chaos.Way, c scriptCase) {
	t.Parallel()
	run := func(t *testing.T) {
		s := chaos.NewScript(t, testkit.Binary(t), way, c.settings)
		c.run(t, s)
		s.Finish()
	}
	if !full {
		run(t)
		return
	}
	for n := range seeds {
		t.Run(fmt.Sprint(n+1), run) // the other ways run beside
	}
}
