// Command slogwriter writes numbered JSON lines with log/slog, as a Go service does, and rotates its file by itself.
//
// Each line carries the writer's name and a number, 1 to -lines, and a message that follows from both, so that a reader
// of what arrived can tell what is missing, doubled or damaged. Prints a JSON object when done: what was written, how
// often the file was rotated.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strings"
	"time"
)

type options struct {
	dir, name string
	lines     int
	rate      float64
	rotate    time.Duration
	mode      string
	torn      bool
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.dir, "dir", "", "directory of the files")
	flag.StringVar(&o.name, "name", "slog", "name of the writer and, with .log, of its file")
	flag.IntVar(&o.lines, "lines", 0, "how many lines to write")
	flag.Float64Var(&o.rate, "rate", 0, "lines per second; 0 writes as fast as it can")
	flag.DurationVar(&o.rotate, "rotate", 100*time.Millisecond, "time between rotations; 0 never rotates")
	flag.StringVar(&o.mode, "mode", "rename", "how to rotate: "+strings.Join(modeNames(), ", "))
	flag.BoolVar(&o.torn, "torn", false, "write every tenth line in two parts")
	flag.Parse()
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

func run(o options) error {
	file, err := newRotating(o)
	if err != nil {
		return err
	}
	handler := slog.NewJSONHandler(file, nil).
		WithAttrs([]slog.Attr{slog.String("logger", "chaos."+o.name), slog.String("writer", o.name)})
	start := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; n < o.lines; {
		due := o.lines
		if o.rate > 0 {
			<-tick.C
			due = min(due, int(time.Since(start).Seconds()*o.rate))
		}
		for ; n < due; n++ {
			write(handler, o.name, n+1)
			if file.err != nil {
				return file.err
			}
		}
	}
	if err := file.close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"writer": o.name, "lines": o.lines, "rotations": file.rotations, "seconds": time.Since(start).Seconds(),
	})
}

func write(handler slog.Handler, writer string, n int) {
	message := fmt.Sprintf("line %d of %s: %send %d", n, writer, strings.Repeat("payload ", n%13), n)
	fields := []any{"n", n, "trace_id", fmt.Sprintf("%032x", n)}
	if n%3 == 0 {
		fields = append(fields, "service", "billing", "endpoint", fmt.Sprintf("/invoices/%d", n), "method", "POST",
			"status", 200, "response_time", 0.5*float64(n%1000))
	}
	level := slog.LevelInfo
	switch n % 50 {
	case 0:
		level = slog.LevelError
		fields = append(fields, "exception", fmt.Sprintf("no invoice %d", n))
	case 25:
		level = slog.LevelWarn
	}
	record := slog.NewRecord(time.Now(), level, message, 0)
	record.Add(fields...)
	_ = handler.Handle(context.Background(), record) // rotating keeps the error
}

// A rotating is a log file that is exchanged as time passes. It rotates only between lines.
type rotating struct {
	options
	path      string
	file      *os.File
	rotations int
	next      time.Time // of the next rotation
	writes    int
	err       error // what went wrong writing
}

func newRotating(o options) (*rotating, error) {
	if modes[o.mode] == nil {
		return nil, fmt.Errorf("mode %q is none of %s", o.mode, strings.Join(modeNames(), ", "))
	}
	r := &rotating{options: o, path: o.dir + "/" + o.name + ".log", next: time.Now().Add(o.rotate)}
	if o.mode == "symlink" {
		r.rotations = -1 // the first link is none
		return r, r.retarget()
	}
	return r, r.open()
}

func (r *rotating) open() error {
	var err error
	r.file, err = os.OpenFile(r.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	return err
}

// Write writes one line.
func (r *rotating) Write(line []byte) (int, error) {
	if r.rotate > 0 && time.Now().After(r.next) {
		r.next = time.Now().Add(r.rotate)
		r.err = errors.Join(r.err, modes[r.mode](r))
	}
	r.writes++
	if r.torn && r.writes%10 == 0 {
		half := len(line) / 2
		_, err := r.file.Write(line[:half])
		r.err = errors.Join(r.err, err)
		line = line[half:]
	}
	_, err := r.file.Write(line)
	r.err = errors.Join(r.err, err)
	return len(line), r.err
}

func (r *rotating) close() error { return r.file.Close() }
