package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"logflume/pipeline"
	"logflume/sink"
)

// Nothing is asked of the position rows before the database was looked at.
func TestGateHoldsBack(t *testing.T) {
	t.Parallel()
	d := sink.NewDiscard(func() pipeline.Aggregate { return nil }, 1, &pipeline.Stats{})
	g := newGate(d)
	if err := g.state(); !errors.Is(err, errNotLooked) {
		t.Errorf("state: %v", err)
	}
	g.tried(errors.New("no server\nat postgres://user:secret@db/x"))
	if err := g.state(); !errors.Is(err, errNotLooked) || !strings.Contains(err.Error(), "no server at") || strings.Contains(err.Error(), "secret") {
		t.Errorf("state after a look that failed: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := g.List(stopped, "", false); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that is given up: %v", err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := g.Create(t.Context(), "key", nil)
		answered <- err
	}()
	g.open(nil)
	if err := <-answered; err != nil {
		t.Errorf("a call that waited: %v", err)
	}
	if c, err := g.List(t.Context(), "", false); err != nil || len(c) != 1 {
		t.Errorf("a call after: %v, %v", c, err)
	}
}

// What was wrong with the database is the answer to every call.
func TestGateStaysShut(t *testing.T) {
	t.Parallel()
	wrong := errors.New("schema is newer")
	g := newGate(nil)
	g.open(wrong)
	_, create := g.Create(t.Context(), "key", nil)
	_, list := g.List(t.Context(), "", false)
	_, amend := g.Amend(t.Context(), pipeline.Checkpoint{}, pipeline.Amendment{})
	for _, err := range []error{create, list, amend, g.state(), g.wait(t.Context())} {
		if !errors.Is(err, wrong) {
			t.Errorf("got %v, want %v", err, wrong)
		}
	}
}
