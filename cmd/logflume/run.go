package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"logflume/pipeline"
	"logflume/sink/postgres"
)

type runCommand struct {
	Config string `help:"Configuration file." required:"" placeholder:"FILE"`
	databaseFlags
}

// Run follows the configured sources until ctx ends, then commits what was read.
func (c *runCommand) Run(ctx context.Context, p *program) error {
	f, err := loadConfig(c.Config, os.Environ())
	if err != nil {
		return err
	}
	if len(f.Sources) == 0 {
		return configError{f.problem("sources", "is empty: name at least one source to run")}
	}
	url, err := databaseURL(c.DatabaseURL, f)
	if err != nil {
		return err
	}
	limitMemory(f.Limits.Memory)
	w, err := newWiring(f, p.log)
	if err != nil {
		return err
	}
	return w.follow(ctx, url)
}

// follow runs the service: the pipeline on the configured files, the sink's maintenance, and the telemetry listener.
func (w *wiring) follow(ctx context.Context, url string) (err error) {
	sink, err := w.postgres(url)
	if err != nil {
		return err
	}
	defer sink.Close()
	source, err := w.files()
	if err != nil {
		return err
	}
	gate := newGate(sink.Checkpoints())
	if listen := w.config.Telemetry.Listen; listen != "" {
		h := serviceHealth(gate, sink.Health, w.foldersOpen)
		t, err := startTelemetry(listen, h, instruments(w.stats, w.budget, h), w.log)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.close()) }()
	}
	w.log.Info("started", "version", version(), "host", w.host, "host_from", w.hostOrigin, "config", w.config.path)

	// What runs beside the pipeline goes on while it drains, and ends with it.
	beside, stopBeside := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBeside()
	all, groupCtx := errgroup.WithContext(ctx)
	all.Go(func() error {
		defer stopBeside()
		return pipeline.Run(groupCtx, w.pipeline(sink, gate, source))
	})
	all.Go(func() error {
		err := patiently(groupCtx, forEver, w.log, func(ctx context.Context) error {
			return checkDatabase(ctx, url, w.config.Database.Schema)
		})
		if groupCtx.Err() != nil { // told to stop before the database was there: who waits at the gate was told too
			return nil
		}
		gate.open(err)
		return err
	})
	all.Go(func() error {
		if gate.wait(beside) == nil {
			return sink.Maintain(beside)
		}
		return nil
	})
	err = withRemedy(all.Wait())
	w.log.Info("stopped", "lines", w.stats.Lines.Load(), "kept", w.stats.Kept.Load(), "filtered", w.stats.Filtered.Load(),
		"dead", w.stats.Dead.Load(), "events", w.stats.Events.Load())
	return err
}

// serviceHealth returns the checks of a running service.
func serviceHealth(g *gate, sink func() postgres.Health, sources func() error) *health {
	database := func() error {
		// What only the maintenance meets, a lock that was not free in time, say, keeps no line from being stored.
		return faultIn(sink(), func(f postgres.Fault) bool {
			return f.Class != postgres.Misconfigured && (f.Part == "writer" || f.Part == "checkpoints")
		})
	}
	schema := func() error {
		if err := g.state(); err != nil {
			return err
		}
		return faultIn(sink(), func(f postgres.Fault) bool { return f.Class == postgres.Misconfigured })
	}
	return newHealth(readiness{"database", database}, readiness{"schema", schema}, readiness{"sources", sources})
}

// faultIn returns the first fault of h for which is holds, or nil.
func faultIn(h postgres.Health, is func(postgres.Fault) bool) error {
	for _, f := range h.Faults {
		if is(f) {
			return fmt.Errorf("%s: %s since %s: %s", f.Part, f.Class, f.Since.UTC().Format(time.RFC3339), f.Error)
		}
	}
	return nil
}

// foldersOpen returns an error when a folder in which sources look for files cannot be listed.
func (w *wiring) foldersOpen() error {
	for _, s := range w.config.Sources {
		for _, pattern := range s.File.Paths {
			base, _ := doublestar.SplitPattern(pattern)
			folder, err := os.Open(base)
			if err != nil {
				return fmt.Errorf("source %s: %w", pattern, err)
			}
			folder.Close()
		}
	}
	return nil
}
