package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"logflume/ingest/kafka"
	"logflume/pipeline"
	"logflume/sink"
	"logflume/sink/postgres"
)

type runCommand struct {
	Config string `help:"Configuration file." required:"" placeholder:"FILE"`
	databaseFlags
	Discard bool `help:"Read and process everything, store nothing, keep positions in memory: to try a configuration, or its speed."`
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
	limitMemory(f.Limits.Memory)
	w, err := newWiring(f, p.log)
	if err != nil {
		return err
	}
	if c.Discard {
		return w.discard(ctx)
	}
	url, err := databaseURL(c.DatabaseURL, f)
	if err != nil {
		return err
	}
	return w.follow(ctx, url)
}

// discard runs the pipeline without a database.
func (w *wiring) discard(ctx context.Context) (err error) {
	sources, topics, err := w.sources()
	if err != nil {
		return err
	}
	h := newHealth(readiness{"sources", func() error { return w.sourcesOpen(topics) }})
	endTelemetry, err := w.telemetry(h)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endTelemetry()) }()
	w.started()
	d := sink.NewDiscard(w.newAggregate, int(w.config.Flush.Rows), w.stats)
	err = pipeline.Run(ctx, w.pipeline(d, d, sources...))
	w.stopped()
	return err
}

// telemetry starts the listener, if there is to be one, and returns what ends it.
func (w *wiring) telemetry(h *health) (end func() error, err error) {
	listen := w.config.Telemetry.Listen
	if listen == "" {
		return func() error { return nil }, nil
	}
	if isReachable(listen) {
		w.log.Warn(reachable, "address", listen)
	}
	t, err := startTelemetry(listen, h, instruments(w.stats, w.budget, h), w.log)
	if err != nil {
		return nil, err
	}
	return t.close, nil
}

func (w *wiring) started() {
	w.log.Info("started", "version", version(), "host", w.host, "host_from", w.hostOrigin, "config", w.config.path)
}

func (w *wiring) stopped() {
	s := w.stats
	w.log.Info("stopped", "lines", s.Lines.Load(), "kept", s.Kept.Load(), "filtered", s.Filtered.Load(),
		"dead", s.Dead.Load(), "events", s.Events.Load())
}

// follow runs the service: the pipeline on the configured files, the sink's maintenance, and the telemetry listener.
func (w *wiring) follow(ctx context.Context, url string) (err error) {
	target, err := w.postgres(url)
	if err != nil {
		return err
	}
	defer target.Close()
	sources, topics, err := w.sources()
	if err != nil {
		return err
	}
	gate := newGate(target.Checkpoints())
	endTelemetry, err := w.telemetry(serviceHealth(gate, target.Health, func() error { return w.sourcesOpen(topics) }))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endTelemetry()) }()
	w.started()

	// What runs beside the pipeline goes on while it drains, and ends with it.
	beside, stopBeside := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBeside()
	all, groupCtx := errgroup.WithContext(ctx)
	all.Go(func() error {
		defer stopBeside()
		return pipeline.Run(groupCtx, w.pipeline(target, gate, sources...))
	})
	all.Go(func() error {
		err := patiently(groupCtx, forEver, w.log, func(ctx context.Context) error {
			err := checkDatabase(ctx, url, w.config.Database.Schema)
			gate.tried(err)
			return err
		})
		if groupCtx.Err() != nil { // told to stop before the database was there: who waits at the gate was told too
			return nil
		}
		if err == nil {
			target.Checked()
		}
		gate.open(err)
		return err
	})
	all.Go(func() error {
		if gate.wait(beside) == nil {
			return target.Maintain(beside)
		}
		return nil
	})
	err = withRemedy(all.Wait())
	w.stopped()
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
	deadLetters := func() error { return pausedIn(sink().Paused) }
	return newHealth(readiness{"database", database}, readiness{"schema", schema}, readiness{"sources", sources},
		readiness{"dead_letters", deadLetters})
}

// pausedIn returns an error that names the first of the sources that are paused, or nil when none is.
func pausedIn(paused []postgres.Paused) error {
	if len(paused) == 0 {
		return nil
	}
	first := paused[0]
	return fmt.Errorf("%d sources are paused, their dead letters having reached limits.dead_letters: %s since %s",
		len(paused), first.Key, first.Since.UTC().Format(time.RFC3339))
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

// sourcesOpen returns an error when something keeps a source from being read.
func (w *wiring) sourcesOpen(topics []*kafka.Source) error {
	for _, s := range topics {
		if err := s.Health(); err != nil {
			return fmt.Errorf("kafka: %w", err)
		}
	}
	if n := w.stats.FilesUnopened.Load(); n > 0 {
		return fmt.Errorf("%d files are not read: the limit on open descriptors is reached, raise it (ulimit -n, LimitNOFILE=)", n)
	}
	return w.foldersOpen()
}

// foldersOpen returns an error when a folder in which sources look for files cannot be listed.
func (w *wiring) foldersOpen() error {
	for _, s := range w.config.Sources {
		if s.File == nil {
			continue
		}
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
