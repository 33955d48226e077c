package chaos

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"logflume/internal/testkit"
)

// longPatience bounds waits for what takes an instance many seconds by design, also where many tests share the machine.
const longPatience = 2 * time.Minute

// Outages is a run whose instances reach the database through a proxy that breaks their connections.
type Outages struct {
	*Rig
	proxy *testkit.FaultyProxy
	times map[string]int // how often each kind befell them
}

// Outages puts a proxy between the database and the instances that are started from now on.
func (r *Rig) Outages() *Outages {
	r.t.Helper()
	o := &Outages{Rig: r, times: map[string]int{}}
	o.proxy, r.through = testkit.ProxyURL(r.t, r.url)
	r.Configure(oftenFlushed)
	return o
}

// An outage is a way to lose a connection, or to be kept waiting.
type outage struct {
	name   string
	befall func()
}

func (o *Outages) all() []outage {
	p := o.proxy
	return []outage{
		{"cut after COMMIT", func() { o.strike(p.CutAfterCopyCommit) }},
		{"cut before COMMIT", func() { o.strike(p.CutBeforeCopyCommit) }},
		// Most of these are no flush: they make rows of log_positions or change them.
		{"cut after any COMMIT", func() { o.strike(p.CutAfterCommit) }},
		{"cut before any COMMIT", func() { o.strike(p.CutBeforeCommit) }},
		{"cut in COPY", func() { o.strike(p.CutInCopy) }},
		{"late COMMIT", o.commitLate},
		{"cut", p.Cut},
		{"refused", func() {
			p.Refuse(true)
			p.Cut()
			o.Pause(o.upTo(500 * time.Millisecond))
			p.Refuse(false)
		}},
		{"latency", func() {
			p.Delay(o.upTo(20 * time.Millisecond))
			o.Pause(o.upTo(time.Second))
			p.Delay(0)
		}},
		{"silence", func() {
			p.Stall(true)
			o.Pause(o.upTo(time.Second))
			p.Stall(false)
		}},
		{"silence, then cut", func() {
			p.Stall(true)
			o.Pause(o.upTo(time.Second))
			p.Cut()
			p.Stall(false)
		}},
	}
}

// Loop has every kind of outage befall the instance in random order, in as many rounds as there are to be and as long as the
// writers write. A third of the outages is followed by a kill, most often before the instance has recovered. It returns the
// instance that is left.
func (o *Outages) Loop(i *Instance, rounds int) *Instance {
	o.t.Helper()
	all := o.all()
	for n := 0; n < rounds*len(all) || o.writing(); n++ {
		if n%len(all) == 0 {
			o.random.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
		}
		o.KeepWriting()
		o.Progress(5 * time.Second)
		o.Pause(o.upTo(100 * time.Millisecond))
		now := all[n%len(all)]
		now.befall()
		o.note(now.name)
		if n%3 == 2 {
			o.Pause(o.upTo(30 * time.Millisecond))
			i = o.kill(i)
		}
	}
	return i
}

// strike waits until a fault has befallen some connection.
func (o *Outages) strike(set func()) {
	o.t.Helper()
	set()
	testkit.EventuallyWithin(o.t, longPatience, "the fault has struck", func() bool {
		o.KeepWriting()
		return !o.proxy.FaultPending()
	})
}

// commitLate has a COMMIT reach the server when its client has long connected anew, or when others ended its session.
func (o *Outages) commitLate() {
	o.t.Helper()
	o.strike(o.proxy.HoldCommit)
	late := time.Second
	if isFull() {
		late = 15 * time.Second // one that holds positions for 8 s is ended by its writer
	}
	o.Pause(o.upTo(late))
	o.proxy.Release()
}

// LostHost has the machine of the instance vanish in the middle of a COPY: the server hears nothing of it and keeps the
// session, which holds positions. It returns the instance that is started in its place, on another machine as it were.
func (o *Outages) LostHost(i *Instance) *Instance {
	o.t.Helper()
	o.KeepWriting()
	o.Progress(5 * time.Second)
	o.strike(o.proxy.HoldInCopy)
	i = o.kill(i)
	if !o.Progress(longPatience) {
		o.t.Fatal("the next instance stores nothing")
	}
	o.note("host lost")
	o.WaitWriters()
	o.Settle() // what the session held, too
	o.proxy.Release()
	return i
}

// Silence has the server take everything and answer nothing until an instance gives it up.
func (o *Outages) Silence() {
	o.t.Helper()
	o.KeepWriting()
	o.Progress(5 * time.Second)
	before := o.met("context deadline exceeded")
	o.proxy.Stall(true)
	testkit.EventuallyWithin(o.t, 2*longPatience, "the silent server is given up", func() bool {
		o.KeepWriting()
		return o.met("context deadline exceeded") > before
	})
	o.proxy.Stall(false)
	o.note("silent server")
}

// note counts for the report.
func (o *Outages) note(name string) {
	o.times[name]++
	o.figures = counted(o.times)
}

// counted makes figures of counts, in the order of their names.
func counted(times map[string]int) (figures []figure) {
	for _, name := range slices.Sorted(maps.Keys(times)) {
		figures = append(figures, figure{name, times[name]})
	}
	return figures
}

// KeepWriting starts another writer, with these options, when the others are done: there is to be something to store.
func (r *Rig) KeepWriting(options ...string) {
	r.t.Helper()
	if !r.writing() {
		r.Go(fmt.Sprintf("slog%d", len(r.writers)), options...)
	}
}
