// Command table prints the results of runs of chaos, as they are written with LOGFLUME_CHAOS_RESULTS=FILE, as a table in
// Markdown, in the order of their names, with their sums.
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

func write(w io.Writer, results []chaos.Result) {
	const row = "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %.0f | %d |\n"
	fmt.Fprintln(w, "| test | lines | rotations | kill -9 | SIGTERM | database stops | missing | doubled | lost bytes | RSS max MiB | descriptors max |")
	fmt.Fprintln(w, "|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	var sum chaos.Result
	for _, r := range results {
		fmt.Fprintf(w, row, r.Scenario, r.Lines, r.Rotations, r.Kills, r.Restarts, r.Stops, r.Missing, r.Doubled, r.LostBytes, r.MemoryMiB, r.Descriptors)
		sum.Lines += r.Lines
		sum.Rotations += r.Rotations
		sum.Kills += r.Kills
		sum.Restarts += r.Restarts
		sum.Stops += r.Stops
		sum.Missing += r.Missing
		sum.Doubled += r.Doubled
		sum.LostBytes += r.LostBytes
		sum.MemoryMiB = max(sum.MemoryMiB, r.MemoryMiB)
		sum.Descriptors = max(sum.Descriptors, r.Descriptors)
	}
	fmt.Fprintf(w, row, "**all**", sum.Lines, sum.Rotations, sum.Kills, sum.Restarts, sum.Stops, sum.Missing, sum.Doubled, sum.LostBytes, sum.MemoryMiB, sum.Descriptors)
}
