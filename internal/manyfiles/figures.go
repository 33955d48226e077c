package main

import (
	"fmt"
	"slices"
	"time"
)

// figures is what one round measured.
type figures struct {
	first, second startFigures
	allRead       time.Duration // of the first start, until each line that was there is stored
	firstPeak     float64       // MiB

	idle, idleServer float64 // percent of a core
	memory, peak     float64 // MiB
	descriptors      int

	single                    distribution
	burstWritten, burstStored time.Duration // all lines written; all stored after that
	burstCPU, burstServer     time.Duration
	busy                      distribution
	busyRate                  float64 // lines a second
	busyCPU, busyServer       float64 // percent of a core
}

// startFigures is what a start took.
type startFigures struct {
	ready    time.Duration // until /readyz answered 200
	complete time.Duration // and each file had its row
	cpu      time.Duration
}

// A distribution sums up latencies.
type distribution struct{ p50, p90, p99, most time.Duration }

func distributionOf(all []time.Duration) (d distribution) {
	if len(all) == 0 {
		return d
	}
	slices.Sort(all)
	at := func(share float64) time.Duration { return all[int(share*float64(len(all)-1))] }
	return distribution{at(0.5), at(0.9), at(0.99), all[len(all)-1]}
}

func (d distribution) String() string {
	return fmt.Sprintf("%s / %s / %s / %s", short(d.p50), short(d.p90), short(d.p99), short(d.most))
}

func short(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// median returns the median of each figure, of an even number the larger one in the middle.
func median(all []figures) (f figures) {
	f = all[len(all)-1]
	durations := func(of func(*figures) *time.Duration) { medianOf(all, &f, of) }
	numbers := func(of func(*figures) *float64) { medianOf(all, &f, of) }
	for _, of := range []func(*figures) *time.Duration{
		func(f *figures) *time.Duration { return &f.first.ready }, func(f *figures) *time.Duration { return &f.first.complete },
		func(f *figures) *time.Duration { return &f.first.cpu }, func(f *figures) *time.Duration { return &f.second.ready },
		func(f *figures) *time.Duration { return &f.second.complete }, func(f *figures) *time.Duration { return &f.second.cpu },
		func(f *figures) *time.Duration { return &f.allRead }, func(f *figures) *time.Duration { return &f.burstWritten },
		func(f *figures) *time.Duration { return &f.burstStored }, func(f *figures) *time.Duration { return &f.burstCPU },
		func(f *figures) *time.Duration { return &f.burstServer },
		func(f *figures) *time.Duration { return &f.single.p50 }, func(f *figures) *time.Duration { return &f.single.p90 },
		func(f *figures) *time.Duration { return &f.single.p99 }, func(f *figures) *time.Duration { return &f.single.most },
		func(f *figures) *time.Duration { return &f.busy.p50 }, func(f *figures) *time.Duration { return &f.busy.p90 },
		func(f *figures) *time.Duration { return &f.busy.p99 }, func(f *figures) *time.Duration { return &f.busy.most },
	} {
		durations(of)
	}
	for _, of := range []func(*figures) *float64{
		func(f *figures) *float64 { return &f.firstPeak }, func(f *figures) *float64 { return &f.idle },
		func(f *figures) *float64 { return &f.idleServer }, func(f *figures) *float64 { return &f.memory },
		func(f *figures) *float64 { return &f.peak }, func(f *figures) *float64 { return &f.busyRate },
		func(f *figures) *float64 { return &f.busyCPU }, func(f *figures) *float64 { return &f.busyServer },
	} {
		numbers(of)
	}
	return f
}

func medianOf[T time.Duration | float64](all []figures, into *figures, of func(*figures) *T) {
	values := make([]T, len(all))
	for i := range all {
		values[i] = *of(&all[i])
	}
	slices.Sort(values)
	*of(into) = values[len(values)/2]
}
