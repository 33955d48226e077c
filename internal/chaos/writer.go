package chaos

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"logflume/internal/testkit"
)

// A Writer is a program that writes numbered lines.
type Writer struct {
	Name  string
	Lines int

	command  *exec.Cmd
	producer *exec.Cmd     // reads what the program writes; nil when that goes to files
	reports  bool          // it prints a summary
	done     chan struct{} // closed when all has ended
	err      error         // why it failed; valid when done is closed
	did      summary

	output, errors, producerErrors bytes.Buffer
}

// summary is what a writer prints in the end.
type summary struct {
	Writer    string
	Lines     int
	Rotations int
	Seconds   float64

	InodesAgain int    `json:"inodes_again"` // files that had the inode of an earlier one
	Risks       []risk // lines that rotations may have destroyed
}

// Python starts a service that logs through a RotatingFileHandler, or what further options of writers/rotating.py say.
func (r *Rig) Python(name string, options ...string) *Writer {
	return r.startWriter(name, r.Size.Lines, "python3", append([]string{"writers/rotating.py",
		"--dir", r.Logs, "--name", name, "--lines", fmt.Sprint(r.Size.Lines), "--rate", fmt.Sprint(r.Size.Rate)}, options...)...)
}

// Go starts a service that logs through slog, with further options of the program in writers/slogwriter.
func (r *Rig) Go(name string, options ...string) *Writer {
	program := testkit.Program(r.t, "./internal/chaos/writers/slogwriter")
	return r.startWriter(name, r.Size.Lines, program, append([]string{
		"-dir", r.Logs, "-name", name, "-lines", fmt.Sprint(r.Size.Lines), "-rate", fmt.Sprint(r.Size.Rate)}, options...)...)
}

func (r *Rig) startWriter(name string, lines int, program string, args ...string) *Writer {
	r.t.Helper()
	w := &Writer{Name: name, Lines: lines, command: exec.Command(program, args...), reports: true}
	r.begin(w)
	return w
}

// begin starts the programs of a writer.
func (r *Rig) begin(w *Writer) {
	r.t.Helper()
	w.done = make(chan struct{})
	w.command.Stdout, w.command.Stderr = &w.output, &w.errors
	if err := w.command.Start(); err != nil {
		r.t.Fatalf("start writer %s: %v", w.Name, err)
	}
	if w.producer != nil {
		w.producer.Stderr = &w.producerErrors
		if err := w.producer.Start(); err != nil {
			_ = w.command.Process.Kill()
			_ = w.command.Wait()
			r.t.Fatalf("start the producer of writer %s: %v", w.Name, err)
		}
	}
	go w.wait()
	r.writers = append(r.writers, w)
	r.t.Cleanup(w.stop)
}

func (w *Writer) wait() {
	defer close(w.done)
	err := w.command.Wait()
	if w.producer != nil {
		err = errors.Join(w.producer.Wait(), err)
	}
	if err != nil {
		w.err = fmt.Errorf("writer %s: %w\n%s%s", w.Name, err, w.errors.String(), w.producerErrors.String())
	} else if !w.reports {
		return
	} else if err := json.Unmarshal(w.output.Bytes(), &w.did); err != nil {
		w.err = fmt.Errorf("writer %s printed %q: %w", w.Name, w.output.String(), err)
	} else if w.did.Lines != w.Lines {
		w.err = fmt.Errorf("writer %s wrote %d lines instead of %d", w.Name, w.did.Lines, w.Lines)
	}
}

// stop ends a writer whose test is over.
func (w *Writer) stop() {
	select {
	case <-w.done:
	default:
		_ = w.command.Process.Kill() // it may just have ended
		if w.producer != nil {
			_ = w.producer.Process.Kill()
		}
		<-w.done
	}
}

// writing reports whether any writer still writes, and fails the test when one failed.
func (r *Rig) writing() bool {
	r.t.Helper()
	for _, w := range r.writers {
		select {
		case <-w.done:
			if w.err != nil {
				r.t.Fatal(w.err)
			}
		default:
			return true
		}
	}
	return false
}

// WaitWriters waits until all writers have written everything.
func (r *Rig) WaitWriters() {
	r.t.Helper()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for r.writing() {
		select {
		case <-tick.C:
			r.look() // a writer may wait for something to be stored
		case err := <-r.unexpected:
			r.t.Fatal(err)
		}
	}
}
