package pipeline

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// A Pipeline is what Run runs.
type Pipeline struct {
	Sources []Source
	Intake  *Intake
	Workers int                // how many batches are processed at once
	Stages  func() []Processor // makes the stages of one worker, in order
	Sink    Sink
	Grace   time.Duration // how long after the context's end the sink may go on committing
}

// Run runs p until its sources have ended and everything they read is committed, or until ctx ends and what was read
// by then is committed, at most p.Grace later. It returns the first error of a source or of the sink; on an error
// everything else is stopped. All goroutines have ended when it returns.
func Run(ctx context.Context, p Pipeline) error {
	// The sink outlives ctx: its last commits belong to lines that were read before the end.
	sinkCtx, stopSink := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSink()

	all, groupCtx := errgroup.WithContext(sinkCtx)
	readCtx, stopReading := context.WithCancel(groupCtx)
	defer stopReading()
	defer context.AfterFunc(ctx, func() {
		stopReading()
		t := time.AfterFunc(p.Grace, stopSink)
		context.AfterFunc(sinkCtx, func() { t.Stop() })
	})()

	sources, sourceCtx := errgroup.WithContext(readCtx)
	for _, s := range p.Sources {
		sources.Go(func() error { return s.Run(sourceCtx, p.Intake) })
	}
	all.Go(func() error {
		err := sources.Wait()
		p.Intake.close()
		return err
	})
	for range p.Workers {
		stages := p.Stages()
		all.Go(func() error {
			for b := range p.Intake.work {
				if err := p.Intake.admit(groupCtx, b); err != nil {
					return err
				}
				p.Intake.equip(b)
				for _, s := range stages {
					s.Process(b)
				}
				p.Intake.Stats.Batches.Add(1)
				p.Intake.finished(b)
			}
			return nil
		})
	}
	all.Go(func() error { return p.Sink.Run(groupCtx, p.Intake.ordered) })
	return all.Wait()
}
