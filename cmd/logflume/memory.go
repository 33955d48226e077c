package main

import (
	"os"
	"runtime/debug"
)

// overhead is what the process needs beside the lines in flight: code, stacks, the connection, tables of patterns and
// open windows, and room for the garbage collector.
const overhead = 32 << 20

// limitMemory makes the Go runtime collect garbage in time to stay near budget bytes of lines in flight, unless
// GOMEMLIMIT says something else.
func limitMemory(budget size) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(budget) + overhead)
	}
}
