package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"logflume/internal/privatepg"
	"logflume/schema"
)

type demoCommand struct {
	For time.Duration `help:"End by itself after this time; without, at Ctrl-C." placeholder:"DURATION"`
}

// demoConfig drops health checks, so that the ledger has lines of all three kinds.
const demoConfig = `
host: demo
database: {schema: logs}
sources: [{file: {paths: ["%s/*.log*"]}}]
filter: {drop: 'endpoint == "/healthz"'}
analyze: {slow_request: 500ms}
flush: {interval: 500ms}
telemetry: {listen: ''}
`

// settle is how long the last lines may take from their file to the database.
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

// show runs everything on server until the time is over or ctx ends.
func (c *demoCommand) show(ctx context.Context, log *slog.Logger, server *privatepg.Server, screen *screen) error {
	// Below the server's own folder: who removes that when this process vanishes removes the logs with it.
	dir := filepath.Join(server.SocketDir(), "logs")
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o777); err != nil { // the umask does not count
		return err
	}
	url := server.URL("postgres")
	w, err := demoWiring(dir, log)
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
		wiring: w, services: sampleServices(dir), conn: conn, psql: server.PsqlCommand("postgres"), started: time.Now(),
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
		writers.Go(func() error { return s.run(writersCtx, uint64(i)) })
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

// demoWiring wires the demo's configuration for services that log in dir.
func demoWiring(dir string, log *slog.Logger) (*wiring, error) {
	file, err := os.CreateTemp(filepath.Dir(dir), "demo-*.yaml")
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(file, demoConfig, dir)
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
