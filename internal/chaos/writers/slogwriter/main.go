// Command slogwriter writes numbered JSON lines with log/slog, as a Go service does, and rotates its file by itself.
//
// Each line carries the writer's name and a number, 1 to -lines, and a message that follows from both, so that a reader
// of what arrived can tell what is missing, doubled or damaged. Prints a JSON object when done: what was written, how
// often the file was rotated, how many files had the inode of an earlier one, and which lines a rotation may have destroyed.
package main

import (
	"context"
	"encoding/json"
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
	every     int
	mode      string
	share     float64
	files     int
	torn      bool
	await     string
	stored    string
	logrotate string
	work      string
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.dir, "dir", "", "directory of the files")
	flag.StringVar(&o.name, "name", "slog", "name of the writer and, with .log, of its file")
	flag.IntVar(&o.lines, "lines", 0, "how many lines to write")
	flag.Float64Var(&o.rate, "rate", 0, "lines per second; 0 writes as fast as it can")
	flag.DurationVar(&o.rotate, "rotate", 100*time.Millisecond, "time between rotations; 0 never rotates")
	flag.IntVar(&o.every, "every", 0, "rotate after so many lines instead, if not 0")
	flag.StringVar(&o.mode, "mode", "rename", "how to rotate: "+strings.Join(modeNames(), ", "))
	flag.Float64Var(&o.share, "late", 0, "share of the lines of -every that are written while a rotation goes on")
	flag.IntVar(&o.files, "files", 1, "how many files the mode \"many\" writes by turns")
	flag.StringVar(&o.await, "await", "", "before a rotation wait until the file is seen, or stored")
	flag.StringVar(&o.stored, "stored", "", "file that says how many lines are stored, for -await")
	flag.StringVar(&o.logrotate, "logrotate", "logrotate", "path of the program")
	flag.StringVar(&o.work, "work", "", "directory for what logrotate needs")
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
		"inodes_again": file.inodesAgain, "risks": file.risks,
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
