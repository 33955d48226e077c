package testkit

import (
	"testing"
	"time"
)

const (
	patience = 60 * time.Second
	interval = 5 * time.Millisecond
)

// Eventually waits until condition holds, looking again every few milliseconds, and fails the test with what was waited
// for when it does not hold within a minute. For tests of things that have no event to wait for, such as other processes.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	EventuallyWithin(t, patience, what, condition)
}

// EventuallyWithin is [Eventually] with a limit of its own.
func EventuallyWithin(t testing.TB, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("after %v still not: %s", limit, what)
		}
	}
}
