// Command manyfiles measures logflume with thousands of watched files.
//
// It makes the files, starts the program on them twice (all files new, then all known), watches it idle, appends single
// lines to random files at random moments, a line to every file at once, and lines to many files all the time. It prints
// one table and exits with 1 if a figure misses its bar. The server is private. Linux only: figures come from /proc.
//
// A start is complete when /readyz answers 200, logflume has logged that it found its files, and each file has its row in
// log_positions; "all read" is when each line that was there is stored as well. Latency is from the return of the write
// until a query, asked every 5 ms, shows the row.
//
//	manyfiles -logflume bin/logflume [-files 10000] [-dirs 10] [-appends 500] [-busy 1000] [-idle 1m] [-rounds 1] [-bars=false]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/privatepg"
	"logflume/schema"
)

// A plan says what to measure.
type plan struct {
	binary  string
	files   int
	dirs    int
	lines   int // in each file at the start
	appends int
	spread  time.Duration // over which the appends are spread
	idle    time.Duration
	busy    int           // files written to all the time
	rate    int           // lines a second for each of those
	writing time.Duration // how long
	limit   int           // on open descriptors; 0 leaves it
	verbose bool
}

func main() {
	var p plan
	b := defaultBars
	flag.StringVar(&p.binary, "logflume", "bin/logflume", "the program to measure")
	flag.IntVar(&p.files, "files", 10_000, "files to watch")
	flag.IntVar(&p.dirs, "dirs", 10, "directories to spread them over: 1 is all in one, as many as files is one each")
	flag.IntVar(&p.lines, "lines", 3, "lines in each file at the start")
	flag.IntVar(&p.appends, "appends", 500, "single lines to append at random moments")
	flag.DurationVar(&p.spread, "spread", time.Minute, "time over which they are spread")
	flag.DurationVar(&p.idle, "idle", time.Minute, "time to watch the idle process")
	flag.IntVar(&p.busy, "busy", 1000, "files that are written to all the time")
	flag.IntVar(&p.rate, "rate", 5, "lines a second for each of those")
	flag.DurationVar(&p.writing, "writing", 20*time.Second, "how long")
	flag.IntVar(&p.limit, "descriptors", 0, "limit on open descriptors of the program; 0 leaves it as it is")
	flag.BoolVar(&p.verbose, "verbose", false, "show what the program logs")
	rounds := flag.Int("rounds", 1, "how often to measure, each time with new files and a new schema; the median counts")
	flag.DurationVar(&b.start, "bar-start", b.start, "longest start")
	flag.Float64Var(&b.idle, "bar-idle", b.idle, "most processor time while idle, percent of a core")
	flag.Float64Var(&b.memory, "bar-memory", b.memory, "most memory, MiB")
	flag.DurationVar(&b.latency, "bar-latency", b.latency, "longest time until a single line is stored")
	check := flag.Bool("bars", true, "fail when a figure misses its bar")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	missed, err := run(ctx, p, b, *rounds)
	if err != nil {
		fmt.Fprintln(os.Stderr, "manyfiles:", err)
		os.Exit(1)
	}
	if missed > 0 && *check {
		fmt.Fprintf(os.Stderr, "manyfiles: %d figures miss their bar\n", missed)
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan, b bars, rounds int) (missed int, err error) {
	server, err := privatepg.Start(ctx, privatepg.Options{Durable: true, Settings: map[string]string{"shared_buffers": "256MB"}})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	var all []figures
	for i := range rounds {
		f, err := round(ctx, p, server, fmt.Sprintf("many_%d", i))
		if err != nil {
			return 0, fmt.Errorf("round %d: %w", i+1, err)
		}
		all = append(all, f)
	}
	return report(p, b, median(all)), nil
}

// round measures everything once, with files and a schema of its own.
func round(ctx context.Context, p plan, server *privatepg.Server, name string) (f figures, err error) {
	url := server.URL("postgres")
	if _, _, err := schema.Migrate(ctx, url, name); err != nil {
		return f, err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return f, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "SET search_path = "+name); err != nil {
		return f, err
	}
	w, err := makeFiles(p)
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(w.root)
	m := &measurement{plan: p, work: w, conn: conn, server: server, url: url, schema: name}
	defer func() { err = errors.Join(err, m.end()) }()
	err = m.all(ctx)
	return m.figures, err
}
