package main

import (
	"context"
	"testing"
)

// A service that is told to stop while it waits for the database has done nothing wrong.
func TestStopBeforeTheDatabaseIsThere(t *testing.T) {
	t.Parallel()
	f, err := load(t, "sources: [{file: {paths: ['"+t.TempDir()+"/*.log']}}]\ntelemetry: {listen: ''}\n")
	if err != nil {
		t.Fatal(err)
	}
	for range 200 { // who of the pipeline hears it first is by chance
		w, err := newWiring(f, testLog(t))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if err := w.follow(ctx, "postgres:///none?host=/nowhere"); err != nil {
			t.Fatal(err)
		}
	}
}
