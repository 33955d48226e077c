package chaos

import (
	"time"

	"logflume/internal/privatepg"
)

// kill kills an instance and starts the next one.
func (r *Rig) kill(i *Instance) *Instance {
	r.t.Helper()
	r.killOnly(i)
	return r.Start()
}

func (r *Rig) killOnly(i *Instance) {
	r.t.Helper()
	r.look()
	i.Kill()
	r.kills++
	if r.stored > r.storedAtKill {
		r.progressed++
	}
	r.storedAtKill = r.stored
}

// goesOn reports whether there is a fault to come after n of them, of which there should be least: as long as lines are
// written, and then as long as that is too few and there are lines to store.
func (r *Rig) goesOn(n, least int) bool {
	r.t.Helper()
	return r.writing() || n < least && r.stored < r.expected()
}

// awaitRows waits until further rows are stored. While lines are written they must come, however slow the machine is;
// afterwards there may be none left, as what a copytruncate destroys never comes: then it returns false.
func (r *Rig) awaitRows() bool {
	r.t.Helper()
	if r.writing() {
		r.Progress(30 * time.Second)
		return true
	}
	return r.Progress(5 * time.Second)
}

// KillLoop kills the instance and starts the next one, again and again, as long as the writers write and as many times
// as the size demands. It returns the instance that is left.
func (r *Rig) KillLoop(i *Instance) *Instance {
	r.t.Helper()
	for kills := 0; r.goesOn(kills, r.Size.Kills) && r.awaitFault(kills); kills++ {
		i = r.kill(i)
	}
	return i
}

// awaitFault waits until it is time for the n-th fault, and reports whether there is one. A third of them come at any time, also
// during start and before the first row; the others come after rows have been committed, so that there is something to lose.
func (r *Rig) awaitFault(n int) bool {
	r.t.Helper()
	if n%3 == 0 {
		r.Pause(r.upTo(2 * r.Size.Pause))
		return true
	}
	if !r.awaitRows() {
		return false
	}
	r.Pause(r.upTo(r.Size.Pause))
	return true
}

// AwayLoop kills the instance and starts the next one when files have been rotated several times, as long as the writers
// write and as many times as the size demands. It returns the instance that is left.
func (r *Rig) AwayLoop(i *Instance) *Instance {
	r.t.Helper()
	for kills := 0; r.goesOn(kills, r.Size.Kills); kills++ {
		if !r.awaitRows() {
			break
		}
		r.Pause(r.upTo(r.Size.Pause))
		r.killOnly(i)
		r.Pause(r.Size.Away)
		i = r.Start()
	}
	return i
}

// KillWhileBehind kills the instance shortly after each commit as long as there are lines to store, and starts the next
// one. It returns the instance that is left.
func (r *Rig) KillWhileBehind(i *Instance) *Instance {
	r.t.Helper()
	for r.stored < r.expected() && r.Progress(time.Minute) {
		r.Pause(r.upTo(30 * time.Millisecond))
		i = r.kill(i)
	}
	return i
}

// StopLoop stops the database as in a crash and starts it again, as long as the writers write and as many times as the
// size demands.
func (r *Rig) StopLoop() {
	r.t.Helper()
	for stops := 0; r.goesOn(stops, r.Size.Stops); stops++ {
		if !r.awaitRows() {
			break
		}
		r.Pause(r.upTo(2 * r.Size.Pause))
		r.StopServer(privatepg.Immediate)
		r.Pause(r.upTo(r.Size.Pause))
		r.StartServer()
	}
}

// TerminateLoop ends the instance with SIGTERM, expecting exit code 0, and starts the next one, as long as the writers
// write and as many times as the size demands. It returns the instance that is left.
func (r *Rig) TerminateLoop(i *Instance) *Instance {
	r.t.Helper()
	for restarts := 0; r.goesOn(restarts, r.Size.Restarts) && r.awaitFault(restarts); restarts++ {
		i.Terminate()
		r.restarts++
		i = r.Start()
	}
	return i
}

// MixedLoop kills the instance, stops the database, or does both in either order, as long as the writers write and as
// many times as the size demands kills. It returns the instance that is left.
func (r *Rig) MixedLoop(i *Instance) *Instance {
	r.t.Helper()
	for faults := 0; r.goesOn(faults, r.Size.Kills); faults++ {
		if !r.awaitRows() {
			break
		}
		r.Pause(r.upTo(r.Size.Pause))
		switch faults % 3 {
		case 0:
			i = r.kill(i)
		case 1:
			r.StopServer(privatepg.Immediate)
			r.StartServer()
			i = r.kill(i)
		case 2:
			r.StopServer(privatepg.Immediate)
			i = r.kill(i)
			r.Pause(r.upTo(r.Size.Pause))
			r.StartServer()
		}
	}
	return i
}

// StopServer stops the database.
func (r *Rig) StopServer(mode privatepg.Mode) {
	r.t.Helper()
	r.disconnect()
	if err := r.server.Stop(mode); err != nil {
		r.t.Fatal(err)
	}
	r.stops++
}

// StartServer starts the database again.
func (r *Rig) StartServer() {
	r.t.Helper()
	if err := r.server.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}
