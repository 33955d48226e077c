package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"logflume/pipeline"
)

// A gate holds back the position rows until the database has been looked at, so that nothing is read, and so nothing
// written, before the schema is known to be ours. Sources find and hold their files meanwhile.
type gate struct {
	pipeline.Checkpoints
	looked chan struct{} // closed when err is final
	err    error

	failed atomic.Pointer[string] // why the last look came to nothing
}

func newGate(c pipeline.Checkpoints) *gate { return &gate{Checkpoints: c, looked: make(chan struct{})} }

// open ends the waiting: with err nil calls go through, otherwise all return err. It is called once.
func (g *gate) open(err error) {
	g.err = err
	close(g.looked)
}

var errNotLooked = errors.New("the database has not been looked at yet")

// tried notes why a look at the database came to nothing, for those who ask meanwhile.
func (g *gate) tried(err error) {
	if err != nil {
		text := oneLine(err)
		g.failed.Store(&text)
	}
}

// state returns nil when the gate is open, else why it is not.
func (g *gate) state() error {
	select {
	case <-g.looked:
		return g.err
	default:
	}
	if failed := g.failed.Load(); failed != nil {
		return fmt.Errorf("%w: %s", errNotLooked, *failed)
	}
	return errNotLooked
}

// wait returns when the gate is open.
func (g *gate) wait(ctx context.Context) error {
	select {
	case <-g.looked:
		return g.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) Create(ctx context.Context, key string, meta []byte) (pipeline.Checkpoint, error) {
	if err := g.wait(ctx); err != nil {
		return pipeline.Checkpoint{}, err
	}
	return g.Checkpoints.Create(ctx, key, meta)
}

func (g *gate) List(ctx context.Context, prefix string, open bool) ([]pipeline.Checkpoint, error) {
	if err := g.wait(ctx); err != nil {
		return nil, err
	}
	return g.Checkpoints.List(ctx, prefix, open)
}

func (g *gate) Amend(ctx context.Context, c pipeline.Checkpoint, a pipeline.Amendment) (pipeline.Checkpoint, error) {
	if err := g.wait(ctx); err != nil {
		return pipeline.Checkpoint{}, err
	}
	return g.Checkpoints.Amend(ctx, c, a)
}
