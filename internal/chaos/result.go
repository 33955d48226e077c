package chaos

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// resultsVariable names a file to which every run of the right program appends its [Result].
const resultsVariable = "LOGFLUME_CHAOS_RESULTS"

// A Result is what a run was and how it was judged, as a line of JSON in the file of results.
type Result struct {
	Scenario    string // the name of the test
	Lines       int64  // written
	Rotations   int
	Rows        int64 // stored
	Missing     int64
	Doubled     int64
	Destroyed   int64 // by rotations, before it was read
	LostBytes   int64 // of the ledger
	Kills       int   // SIGKILLs of logflume
	Restarts    int   // SIGTERMs
	Stops       int   // of PostgreSQL, as in a crash or in order
	Seconds     float64
	MemoryMiB   float64 // the most that an instance ever held
	Descriptors int64   // the most that it had open
}

// Add makes r the result of its runs and of o's: the sums, and the most that an instance ever held.
func (r *Result) Add(o Result) {
	r.Lines += o.Lines
	r.Rotations += o.Rotations
	r.Rows += o.Rows
	r.Missing += o.Missing
	r.Doubled += o.Doubled
	r.Destroyed += o.Destroyed
	r.LostBytes += o.LostBytes
	r.Kills += o.Kills
	r.Restarts += o.Restarts
	r.Stops += o.Stops
	r.Seconds += o.Seconds
	r.MemoryMiB = max(r.MemoryMiB, o.MemoryMiB)
	r.Descriptors = max(r.Descriptors, o.Descriptors)
}

// result describes the run.
func (r *Rig) result(v Verdict) Result {
	result := Result{
		Scenario: r.t.Name(), Lines: r.expected(), Rows: v.Rows, Missing: v.Missing, Doubled: v.Duplicated,
		Destroyed: v.Destroyed, LostBytes: v.LostBytes,
		Kills: r.kills, Restarts: r.restarts, Stops: r.stops, Seconds: time.Since(r.began).Seconds(),
		MemoryMiB: float64(r.memory.Load()) / 1024, Descriptors: r.descriptors.Load(),
	}
	for _, w := range r.writers {
		result.Rotations += w.did.Rotations
	}
	return result
}

// append adds the result to a file; without a name it does nothing.
func (r Result) append(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("append to the results: %w", err)
	}
	return file.Close()
}
