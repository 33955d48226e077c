package chaos

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// A Fault is what happens to logflume and the database while a service writes.
type Fault struct {
	Name    string
	Crashes bool // the database too
	run     func(r *Rig, i *Instance) (left []*Instance)
}

// Faults are all of them.
var Faults = []Fault{
	{Name: "kill", run: func(r *Rig, i *Instance) []*Instance { return []*Instance{r.KillLoop(i)} }},
	{Name: "away", run: func(r *Rig, i *Instance) []*Instance { return []*Instance{r.AwayLoop(i)} }},
	{Name: "terminate", run: func(r *Rig, i *Instance) []*Instance { return []*Instance{r.TerminateLoop(i)} }},
	{Name: "two_instances", run: func(r *Rig, i *Instance) []*Instance {
		killed := r.Start()
		return []*Instance{r.KillLoop(killed), i}
	}},
	{Name: "database", Crashes: true, run: func(r *Rig, i *Instance) []*Instance {
		r.StopLoop()
		return []*Instance{i}
	}},
	{Name: "mixed", Crashes: true, run: func(r *Rig, i *Instance) []*Instance { return []*Instance{r.MixedLoop(i)} }},
}

// A Speed is how fast a service writes.
type Speed struct {
	Name    string
	Lines   int
	Rate    float64 // lines per second; 0 is as fast as it can
	Every   int     // lines between rotations
	Flush   string  // YAML of the configuration's flush section
	Backlog bool    // everything is written before logflume starts, if the service waits for nothing
	Away    time.Duration
	Pause   time.Duration
}

const (
	liveFlush    = "{interval: 100ms}"
	backlogFlush = "{interval: 20ms, rows: 500}"
	blink        = 20 * time.Millisecond // between faults while a backlog is stored
)

var (
	smallSpeeds = []Speed{
		{Name: "slow", Lines: 120, Rate: 40, Every: 20, Flush: liveFlush, Away: time.Second, Pause: pause},
		{Name: "normal", Lines: 5_000, Rate: 2_000, Every: 300, Flush: liveFlush, Away: 500 * time.Millisecond, Pause: pause},
		{Name: "burst", Lines: 12_000, Every: 1_000, Flush: backlogFlush, Backlog: true, Away: blink, Pause: blink},
	}
	fullSpeeds = []Speed{
		{Name: "slow", Lines: 300, Rate: 30, Every: 30, Flush: liveFlush, Away: 1500 * time.Millisecond, Pause: pause},
		{Name: "normal", Lines: 25_000, Rate: 2_500, Every: 1_000, Flush: liveFlush, Away: 1500 * time.Millisecond, Pause: pause},
		{Name: "burst", Lines: 60_000, Every: 3_000, Flush: backlogFlush, Backlog: true, Away: blink, Pause: blink},
	}
)

// A Case is a cell of the matrix.
type Case struct {
	Mode  Mode
	Fault Fault
	Speed Speed
}

// Matrix returns the cases of a size: all, or in the small one a few that have each mode once and faults and speeds about
// equally often, the same ones every time.
func Matrix(size Size) (cases []Case) {
	speeds := smallSpeeds
	if size.IsFull() {
		speeds = fullSpeeds
	}
	for _, m := range Modes {
		for _, f := range Faults {
			for _, s := range speeds {
				cases = append(cases, Case{m, f, s})
			}
		}
	}
	if size.IsFull() {
		return cases
	}
	return slice(cases)
}

// slice chooses one case of each mode.
func slice(cases []Case) (chosen []Case) {
	random := rand.New(rand.NewPCG(2026, 11))
	random.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	used := map[string]int{}
	for _, m := range Modes {
		var best Case
		least := 0
		for _, c := range cases {
			if c.Mode.Name != m.Name {
				continue
			}
			if n := 2*used[c.Fault.Name] + used[c.Speed.Name]; best.Mode.Name == "" || n < least {
				best, least = c, n
			}
		}
		used[best.Fault.Name]++
		used[best.Speed.Name]++
		chosen = append(chosen, best)
	}
	return chosen
}

// Run runs the case with a program, fails the test unless every line is there once, and returns what it was.
func (c Case) Run(t *testing.T, size Size, program string) Result {
	t.Helper()
	size.Lines, size.Rate, size.Away, size.Pause = c.Speed.Lines, c.Speed.Rate, c.Speed.Away, c.Speed.Pause
	newRig := NewRig
	if c.Fault.Crashes {
		newRig = NewCrashRig
	}
	r := newRig(t, size, program)
	r.Watch(c.Mode.Watch...)
	r.Configure(fmt.Sprintf("flush: %s\nfiles: {%s}", c.Speed.Flush, c.Mode.Files))
	reuses, err := reusesInodes(r.Logs)
	if err != nil {
		t.Fatal(err)
	}
	var first *Instance
	if c.Speed.Backlog && !c.Mode.Awaits {
		r.Write(c.Mode, c.Speed.Every)
		r.WaitWriters()
		first = r.Start()
	} else {
		first = r.Start()
		r.Write(c.Mode, c.Speed.Every)
	}
	result := r.Finish(c.Fault.run(r, first)...)
	if c.Mode.Reuses && reuses && r.writers[0].did.InodesAgain == 0 {
		t.Log("NOT PROVEN: no file had the inode of an earlier one, as other programs were given them; TestScript/inode_used_again waits for one")
	}
	return result
}
