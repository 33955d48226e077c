// Command table prints the results of runs of chaos, as they are written with LOGFLUME_CHAOS_RESULTS=FILE, as a table in
// Markdown, in the order of their names.
//
//	table FILE
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"logflume/internal/chaos"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: table FILE")
		os.Exit(2)
	}
	results, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
	write(os.Stdout, results)
}

func read(path string) (results []chaos.Result, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	for lines := json.NewDecoder(file); ; {
		var r chaos.Result
		if err := lines.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		results = append(results, r)
	}
	slices.SortStableFunc(results, func(a, b chaos.Result) int { return strings.Compare(a.Scenario, b.Scenario) })
	return results, nil
}

// write prints a row for each test and each of its subtests, in which theirs are summed up.
func write(w io.Writer, results []chaos.Result) {
	fmt.Fprintln(w, "| test | runs | lines | rotations | kill -9 | SIGTERM | database stops | missing | doubled | destroyed unread | lost bytes "+
		"| RSS max MiB | descriptors max |")
	fmt.Fprintln(w, "|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	var all chaos.Result
	for first := 0; first < len(results); {
		name, sum, next := group(results[first].Scenario), chaos.Result{}, first
		for ; next < len(results) && group(results[next].Scenario) == name; next++ {
			sum.Add(results[next])
		}
		row(w, name, next-first, sum)
		all.Add(sum)
		first = next
	}
	row(w, "**all**", len(results), all)
}

// group returns the name of a test and its subtest, without those below.
func group(scenario string) string {
	parts := strings.SplitN(scenario, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

func row(w io.Writer, name string, runs int, r chaos.Result) {
	fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %.0f | %d |\n", name, runs, r.Lines, r.Rotations, r.Kills, r.Restarts,
		r.Stops, r.Missing, r.Doubled, r.Destroyed, r.LostBytes, r.MemoryMiB, r.Descriptors)
}
