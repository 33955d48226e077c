package file

import (
	"context"
	"fmt"
	"time"

	"logflume/pipeline"
)

// A Source reads the files of its inputs as they are written, rotated, truncated, moved and removed. It is one for
// all inputs of a process, because which of them owns a file and which file continues a stream concerns them all.
type Source struct {
	options Options
}

// New returns a source, or an error that names the option that is wrong.
func New(o Options) (*Source, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	return &Source{options: o}, nil
}

const (
	tickInterval = 250 * time.Millisecond // how often waiting times are looked at
	lookInterval = time.Second            // how often files are looked at that nothing reports on
	scanInterval = 15 * time.Second       // how often all are
)

// Run reads until ctx ends. It returns an error only when the position rows cannot be read at all at the start.
func (s *Source) Run(ctx context.Context, in *pipeline.Intake) error {
	return s.runWith(ctx, in, newWatcher(s.options.Log))
}

func (s *Source) runWith(ctx context.Context, in *pipeline.Intake, w *watcher) error {
	ctx, stop := context.WithCancel(ctx)
	return newKeeper(ctx, s.options, in, w).runAll(stop)
}

// runAll runs the keeper and, until stop is called at its end, all that it starts.
func (k *keeper) runAll(stop context.CancelFunc) error {
	k.jobs.Go(func() { k.watch.run(k.ctx) })
	err := k.run()
	stop()
	k.jobs.Wait()
	k.closeAll()
	return err
}

// run is the keeper's goroutine.
func (k *keeper) run() error {
	k.load()
	k.scan()
	tick := k.Clock.After(tickInterval)
	for {
		var turn turns // nobody gives one while there is nobody to take it
		if len(k.queue) > 0 {
			turn = k.reading
		}
		select {
		case turn <- struct{}{}:
			k.readNext()
		case <-k.ctx.Done():
			return nil
		case err := <-k.broken:
			if k.ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("list the positions of %s: %w", k.Host, err)
		case call := <-k.calls:
			call()
		case <-k.watch.poke:
			k.report(k.watch.take())
		case <-tick:
			k.tick()
			tick = k.Clock.After(tickInterval)
		}
	}
}
