package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"logflume/internal/testkit"
)

// An Instance is a running logflume.
type Instance struct {
	rig     *Rig
	command *exec.Cmd
	log     string        // path of what it prints
	done    chan struct{} // closed when it has ended
	wanted  atomic.Bool   // we ended it
	err     error         // how it ended; valid when done is closed
}

// Start starts an instance of the program.
func (r *Rig) Start() *Instance {
	r.t.Helper()
	r.starts++
	command := append(slices.Clone(r.wrapper), r.program, "run", "--config", r.config)
	i := &Instance{
		rig: r, command: exec.Command(command[0], command[1:]...), log: r.logPath(r.starts), done: make(chan struct{}),
	}
	log, err := os.Create(i.log)
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close()
	i.command.Stdout, i.command.Stderr = log, log
	// The environment of whoever runs the tests must not configure what they test.
	i.command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "TMPDIR=" + os.TempDir()}
	if err := i.command.Start(); err != nil {
		r.t.Fatal(err)
	}
	go i.watch()
	r.t.Cleanup(func() {
		i.Kill()
		if r.t.Failed() {
			r.t.Logf("end of %s:\n%s", filepath.Base(i.log), i.logTail())
		}
	})
	return i
}

// logPath returns where the n-th instance prints.
func (r *Rig) logPath(n int) string { return filepath.Join(r.dir, fmt.Sprintf("logflume-%d.log", n)) }

// watch waits for the end of the process and measures it meanwhile.
func (i *Instance) watch() {
	ended := make(chan error, 1)
	go func() { ended <- i.command.Wait() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			raise(&i.rig.memory, peakMemory(i.command.Process.Pid))
			raise(&i.rig.descriptors, descriptors(i.command.Process.Pid))
		case i.err = <-ended:
			close(i.done)
			if !i.wanted.Load() {
				select {
				case i.rig.unexpected <- fmt.Errorf("logflume ended by itself (%s):\n%s", i.command.ProcessState, i.logTail()):
				default: // another one did before
				}
			}
			return
		}
	}
}

// Kill ends the instance with SIGKILL. One that has ended is left alone.
func (i *Instance) Kill() {
	i.wanted.Store(true)
	_ = i.command.Process.Kill() // it may have ended
	<-i.done
}

// Terminate ends the instance with SIGTERM and fails the test unless it exits with 0.
func (i *Instance) Terminate() {
	t := i.rig.t
	t.Helper()
	i.wanted.Store(true)
	// A process that has hardly begun cannot answer signals yet; one that has logged something can.
	testkit.Eventually(t, "logflume logs that it runs", func() bool { return i.ended() || i.logTail() != "" })
	if err := i.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("end logflume: %v\n%s", err, i.logTail())
	}
	<-i.done
	if i.err != nil {
		t.Fatalf("logflume after SIGTERM: %v\n%s", i.err, i.logTail())
	}
}

func (i *Instance) ended() bool {
	select {
	case <-i.done:
		return true
	default:
		return false
	}
}

// logTail returns the last lines that the instance printed.
func (i *Instance) logTail() string {
	log, err := os.ReadFile(i.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// peakMemory returns the most memory that a process ever held, in KiB; 0 when it has ended, or without /proc.
func peakMemory(pid int) int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseInt(fields[0], 10, 64) // 0 is right for what is no number
	return kib
}

// descriptors returns how many files a process has open; 0 when it has ended, or without /proc.
func descriptors(pid int) int64 {
	open, _ := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/fd") // what could be read of it counts
	return int64(len(open))
}

// raise makes a maximum at least n.
func raise(maximum *atomic.Int64, n int64) {
	for {
		most := maximum.Load()
		if n <= most || maximum.CompareAndSwap(most, n) {
			return
		}
	}
}
