package chaos_test

import (
	"sync"
	"testing"

	"logflume/internal/chaos"
	"logflume/internal/testkit"
)

// Every way to rotate files, under every fault, at every speed. In the small size each way once.
func TestMatrix(t *testing.T) {
	t.Parallel()
	size := chaos.ChosenSize()
	cases := chaos.Matrix(size)
	sum := &sum{}
	t.Cleanup(func() { sum.report(t, size, len(cases)) })
	for _, mode := range chaos.Modes {
		t.Run(mode.Name, func(t *testing.T) {
			t.Parallel()
			mode.Prepare(t)
			for _, fault := range chaos.Faults {
				var chosen []chaos.Case
				for _, c := range cases {
					if c.Mode.Name == mode.Name && c.Fault.Name == fault.Name {
						chosen = append(chosen, c)
					}
				}
				if len(chosen) > 0 {
					t.Run(fault.Name, func(t *testing.T) { runCases(t, size, chosen, sum) })
				}
			}
		})
	}
}

// runCases runs cases that differ in their speeds.
func runCases(t *testing.T, size chaos.Size, cases []chaos.Case, sum *sum) {
	t.Parallel()
	for _, c := range cases {
		t.Run(c.Speed.Name, func(t *testing.T) {
			t.Parallel()
			sum.add(c.Run(t, size, testkit.Binary(t)))
		})
	}
}

// What a full matrix has to have at least.
const leastKills, leastStops = 1000, 100

// A sum is of the cases that were run to their end.
type sum struct {
	mu    sync.Mutex
	cases int
	total chaos.Result
}

func (s *sum) add(r chaos.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cases++
	s.total.Add(r)
}

// report prints the sum, and fails the test if all cases together had too few faults.
func (s *sum) report(t *testing.T, size chaos.Size, all int) {
	t.Logf("%d of %d cases: %+v", s.cases, all, s.total)
	if size.IsFull() && s.cases == all && (s.total.Kills < leastKills || s.total.Stops < leastStops) {
		t.Errorf("fewer than %d kills or %d stops of the database", leastKills, leastStops)
	}
}
