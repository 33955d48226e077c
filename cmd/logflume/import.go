package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"logflume/ingest/file"
	"logflume/pipeline"
	"logflume/sink"
	"logflume/sink/postgres"
)

type importCommand struct {
	configFlag
	databaseFlags
	waitFlag
	Discard bool     `help:"Do everything but store: no database is needed."`
	Paths   []string `arg:"" name:"path" help:"Files and globs; .gz and .zst are unpacked; - is standard input."`
}

// Run reads the files to their end, commits, and prints the ledger of what it did.
func (c *importCommand) Run(ctx context.Context, p *program) error {
	f, err := loadConfig(c.Config, os.Environ())
	if err != nil {
		return err
	}
	limitMemory(f.Limits.Memory)
	w, err := newWiring(f, p.log)
	if err != nil {
		return err
	}
	source, err := file.NewImport(file.ImportOptions{
		Paths: c.Paths, Host: w.host, LineLimit: int(f.Limits.Line), Joins: w.joins(), Log: p.log, Stdin: p.stdin,
	})
	if err != nil {
		return err
	}
	started := time.Now()
	endProgress := showProgress(p.stderr, source, w.stats, p.log)
	if c.Discard {
		d := sink.NewDiscard(w.newAggregate, int(f.Flush.Rows), w.stats)
		err = pipeline.Run(ctx, w.pipeline(d, d, source))
	} else {
		err = c.store(ctx, p, w, source)
	}
	endProgress()
	if err == nil || w.stats.Lines.Load() > 0 {
		w.printLedger(p, time.Since(started))
		if w.stats.Dead.Load() > 0 && !c.Discard {
			fmt.Fprintln(p.stdout, "`logflume dead-letters list` says which lines are dead, and why")
		}
	}
	if err == nil && ctx.Err() != nil {
		err = errors.New("interrupted: what was read is committed; run the same command again to go on")
	}
	return err
}

// store runs the import into the database.
func (c *importCommand) store(ctx context.Context, p *program, w *wiring, source pipeline.Source) error {
	url, err := databaseURL(c.DatabaseURL, w.config)
	if err != nil {
		return err
	}
	err = patiently(ctx, c.Wait, p.log, func(ctx context.Context) error {
		return checkDatabase(ctx, url, w.config.Database.Schema)
	})
	if err != nil {
		return err
	}
	target, err := w.postgres(url)
	if err != nil {
		return err
	}
	defer target.Close()
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	run := w.pipeline(target, target.Checkpoints(), source)
	if c.Wait != forEver {
		go watchDatabase(ctx, target.Health, c.Wait, giveUp)
		run.Grace = min(run.Grace, c.Wait)
	}
	if err = pipeline.Run(ctx, run); err == nil && ctx.Err() == nil {
		// Nobody else might do it, where lines come by import alone. It can be done as well the next time.
		if err := target.MergePatterns(ctx); err != nil {
			p.log.Warn("patterns were not merged", "error", oneLine(err))
		}
	}
	if gone := context.Cause(ctx); errors.Is(gone, errDatabaseGone) {
		return gone
	}
	if errors.Is(err, pipeline.ErrPaused) {
		return fmt.Errorf("%w: look at them with `logflume dead-letters list`, correct the configuration, replay or purge them or "+
			"raise limits.dead_letters, and run the same command again to go on", err)
	}
	if err != nil || ctx.Err() != nil {
		return withRemedy(err)
	}
	// The lines are committed, and shares count as they are: compaction only makes questions about them quick.
	p.log.Info("all lines are committed; compacting the windows of the analysis")
	if err := target.Compact(ctx); err != nil && ctx.Err() == nil {
		p.log.Warn("windows are left to the next import, or to a service, to compact", "error", err)
	}
	return nil
}

var errDatabaseGone = errors.New("the database takes no rows any more; what was committed stays, run the same command again to go on")

// watchDatabase gives up when for the time wait the database could not be reached, or was full, a standby, or not as it
// must be. A lock that is not free in time is waited for. It ends with ctx.
func watchDatabase(ctx context.Context, ask func() postgres.Health, wait time.Duration, giveUp context.CancelCauseFunc) {
	tick := time.NewTicker(min(wait, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, f := range ask().Faults {
				if f.Class != postgres.Retry && time.Since(f.Since) > wait {
					giveUp(fmt.Errorf("%w (%s)", errDatabaseGone, f.Error))
					return
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

// printLedger prints what became of the lines.
func (w *wiring) printLedger(p *program, took time.Duration) {
	s := w.stats
	lines, bytes := s.Lines.Load(), float64(s.Bytes.Load())
	fmt.Fprintf(p.stdout, "lines     %d\n  kept      %d (%d events)\n  filtered  %d\n  dead      %d\n",
		lines, s.Kept.Load(), s.Events.Load(), s.Filtered.Load(), s.Dead.Load())
	fmt.Fprintf(p.stdout, "%.1f MB in %s, %.0f lines/s, %.1f MB/s\n", bytes/1e6, took.Round(time.Millisecond),
		float64(lines)/took.Seconds(), bytes/1e6/took.Seconds())
}
