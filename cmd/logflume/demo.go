package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"logflume/internal/privatepg"
	"logflume/schema"
)

type demoCommand struct {
	For   time.Duration `help:"End by itself after this time; without, at Ctrl-C." placeholder:"DURATION"`
	Kafka bool          `help:"Go through a topic of a private Kafka broker instead of files."`
}

// demoConfig drops health checks, so that the ledger has lines of all three kinds.
const demoConfig = `
host: demo
database: {schema: logs}
sources: [{%s}]
filter: {drop: 'endpoint == "/healthz"'}
analyze: {slow_request: 500ms}
flush: {interval: 500ms}
telemetry: {listen: ''}
`

// A demoInput is where the services log and the pipeline reads.
type demoInput interface {
	source() string // entry of sources in the configuration
	outlet(service string) (outlet, error)
	progress() string              // for the first line of the screen
	ledger() (heads, query string) // see demoView.table
	close() error
}

// settle is how long the last lines may take from where they are written to the database.
const settle = 20 * time.Second

// Run starts a private server, services that log, and the pipeline, and shows what comes of it. At the end all of that
// is gone again.
func (c *demoCommand) Run(ctx context.Context, p *program) error {
	screen := newScreen(p.stdout)
	log := newLogger(os.Stderr, slog.LevelWarn) // the rest would break up the screen
	screen.note("starting a private PostgreSQL ...")
	installation, err := privatepg.Obtain(ctx, log)
	if err != nil {
		return err
	}
	server, err := privatepg.Start(ctx, privatepg.Options{Installation: installation})
	if err != nil {
		return fmt.Errorf("start a private PostgreSQL: %w", err)
	}
	err = c.show(ctx, log, server, screen)
	return errors.Join(err, server.Close())
}

// show makes the input and runs everything on it and on server.
func (c *demoCommand) show(ctx context.Context, log *slog.Logger, server *privatepg.Server, screen *screen) error {
	input, err := c.input(ctx, log, server, screen)
	if err != nil {
		return err
	}
	return errors.Join(c.showInput(ctx, log, server, input, screen), input.close())
}

func (c *demoCommand) input(ctx context.Context, log *slog.Logger, server *privatepg.Server, screen *screen) (demoInput, error) {
	if c.Kafka {
		screen.note("starting a private Kafka broker ...")
		return newTopicInput(ctx, log)
	}
	// Below the server's own folder: who removes that when this process vanishes removes the logs with it.
	return newFileInput(server.SocketDir())
}

// showInput runs everything until the time is over or ctx ends.
func (c *demoCommand) showInput(ctx context.Context, log *slog.Logger, server *privatepg.Server, input demoInput, screen *screen) error {
	url := server.URL("postgres")
	w, err := demoWiring(server.SocketDir(), input.source(), log)
	if err != nil {
		return err
	}
	if _, _, err := schema.Migrate(ctx, url, w.config.Database.Schema); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))

	stop, end := context.WithCancel(ctx)
	defer end()
	if c.For > 0 {
		defer time.AfterFunc(c.For, end).Stop()
	}
	view := &demoView{
		wiring: w, input: input, services: sampleServices(), conn: conn, psql: server.PsqlCommand("postgres"), started: time.Now(),
	}
	return view.conduct(stop, url, screen)
}

// conduct lets the services write and the pipeline read until stop ends, then the pipeline read what is left, and prints
// the final account. It ends early when a service or the pipeline fails.
func (v *demoView) conduct(stop context.Context, url string, screen *screen) error {
	background := context.WithoutCancel(stop)
	reading, stopReading := context.WithCancel(background)
	defer stopReading()
	writing, stopWriting := context.WithCancel(stop)
	defer stopWriting()
	settled, giveUp := context.WithCancel(background)
	defer giveUp()

	ended := make(chan error, 1)
	go func() {
		err := v.wiring.follow(reading, url)
		stopWriting()
		giveUp()
		ended <- err
	}()
	writers, writersCtx := errgroup.WithContext(writing)
	for i, s := range v.services {
		writers.Go(func() error {
			out, err := v.input.outlet(s.name)
			if err != nil {
				return err
			}
			return s.run(writersCtx, out, uint64(i))
		})
	}
	err := v.repeat(writersCtx, screen)
	stopWriting()
	if err = errors.Join(err, writers.Wait()); err == nil {
		defer time.AfterFunc(settle, giveUp).Stop()
		err = v.awaitAll(settled)
	}
	stopReading()
	if err = errors.Join(<-ended, err); err != nil {
		return err
	}
	return v.final(background, screen)
}

// demoWiring wires the demo's configuration, which it writes into dir, for a source.
func demoWiring(dir, source string, log *slog.Logger) (*wiring, error) {
	file, err := os.CreateTemp(dir, "demo-*.yaml")
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(file, demoConfig, source)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	f, err := loadConfig(file.Name(), nil)
	if err != nil {
		return nil, err
	}
	limitMemory(f.Limits.Memory)
	return newWiring(f, log)
}
