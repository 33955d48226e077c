package chaos_test

import (
	"flag"
	"runtime"
	"strconv"
	"testing"
	"time"

	"logflume/internal/chaos"
	"logflume/internal/privatepg"
	"logflume/internal/testkit"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if !given("test.parallel") {
		// The runs wait more than they work: for writers, for a database that is away, for a rescan.
		if err := flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0))); err != nil {
			panic(err)
		}
	}
	testkit.Main(m)
}

// given reports whether the command line has the flag name.
func given(name string) (found bool) {
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// rig prepares a run of the right program.
func rig(t *testing.T) *chaos.Rig {
	t.Helper()
	t.Parallel()
	return chaos.NewRig(t, chaos.ChosenSize(), testkit.Binary(t))
}

// crashRig prepares one whose database can be stopped.
func crashRig(t *testing.T) *chaos.Rig {
	t.Helper()
	t.Parallel()
	return chaos.NewCrashRig(t, chaos.ChosenSize(), testkit.Binary(t))
}

// finish is the end of every run.
func finish(r *chaos.Rig, last ...*chaos.Instance) { r.Finish(last...) }

func TestCalm(t *testing.T) {
	r := rig(t)
	i := r.Start()
	r.Python("rotating")
	r.Go("slog")
	finish(r, i)
}

// Every other way to rotate.
func TestCalmRotations(t *testing.T) {
	r := rig(t)
	i := r.Start()
	r.Go("copytruncate", "-mode", "copytruncate", "-rotate", "500ms")
	r.Go("symlink", "-mode", "symlink")
	r.Go("torn", "-torn")
	// A deleted file is read to its end by who has it open, and nobody can open it any more: it has to live long enough
	// to be found.
	r.Go("delete", "-mode", "delete", "-rotate", "2s")
	finish(r, i)
}

// Files that were written, rotated and left before logflume ever ran.
func TestBacklog(t *testing.T) {
	r := rig(t)
	r.Python("rotating")
	r.Go("slog")
	r.WaitWriters()
	finish(r, r.Start())
}

func TestKill(t *testing.T) {
	r := rig(t)
	i := r.Start()
	r.Python("rotating")
	r.Go("slog", "-torn")
	finish(r, r.KillLoop(i))
}

// A kill between any two steps of a rotation by copy.
func TestKillWithCopytruncate(t *testing.T) {
	r := rig(t)
	i := r.Start()
	r.Go("slog", "-mode", "copytruncate", "-rotate", "500ms")
	finish(r, r.KillLoop(i))
}

func TestTerminate(t *testing.T) {
	r := rig(t)
	i := r.Start()
	r.Python("rotating")
	r.Go("slog")
	finish(r, r.TerminateLoop(i))
}

func TestDatabaseCrashes(t *testing.T) {
	r := crashRig(t)
	i := r.Start()
	r.Python("rotating")
	r.Go("slog")
	r.StopLoop()
	finish(r, i)
}

// The database is away when logflume starts, and for a while in between.
func TestDatabaseAway(t *testing.T) {
	r := crashRig(t)
	r.StopServer(privatepg.Fast)
	i := r.Start()
	r.Python("rotating")
	r.Go("slog")
	r.Pause(r.Size.Outage)
	r.StartServer()
	r.Progress(time.Minute)
	r.StopServer(privatepg.Immediate)
	r.Pause(r.Size.Outage)
	r.StartServer()
	r.WaitWriters()
	r.Settle()
	r.RequireDescriptors(i)
	finish(r, i)
}

// Two programs on the same files, as when a new version starts before the old one has ended, and one of them killed.
func TestTwoInstances(t *testing.T) {
	r := rig(t)
	stays := r.Start()
	killed := r.Start()
	r.Python("rotating")
	r.Go("slog")
	finish(r, r.KillLoop(killed), stays)
}

// Kills of logflume and crashes of the database in any order, also both together.
func TestKillsAndCrashes(t *testing.T) {
	r := crashRig(t)
	i := r.Start()
	r.Python("rotating")
	r.Go("slog", "-mode", "symlink")
	finish(r, r.MixedLoop(i))
}
