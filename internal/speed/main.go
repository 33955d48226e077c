// Command speed measures what the README says of speed and memory, in one run on one machine.
//
// Each round imports a corpus into a fresh schema with logflume, then has the server itself load the very same rows,
// from a file in COPY's binary format into the same table with the same indexes, and prints both times and their
// ratio. A first round is not counted. Before that it imports once without a database. The server is private, with
// fsync on.
//
// With -kafka it measures reading the corpus from a topic instead, beside Kafka's own consumers, see [runKafka].
//
//	speed -logflume bin/logflume -corpus FILE [-rounds 3] [-kafka [-partitions 12] [-codec none]]
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"logflume/internal/privatepg"
	"logflume/schema"

	"github.com/jackc/pgx/v5"
)

func main() {
	binary := flag.String("logflume", "bin/logflume", "the program to measure")
	corpus := flag.String("corpus", "", "file of JSON lines")
	rounds := flag.Int("rounds", 3, "how often to measure each side, in turn")
	kafka := flag.Bool("kafka", false, "read the corpus from a topic")
	partitions := flag.Int("partitions", 12, "of the topic")
	codec := flag.String("codec", "none", "compression of the topic's messages: none, gzip, snappy, lz4, zstd")
	flag.Parse()
	ctx := context.Background()
	lines, size, err := measureCorpus(*corpus)
	switch {
	case err != nil:
	case *kafka:
		err = runKafka(ctx, kafkaSpeed{binary: *binary, corpus: *corpus, lines: lines, size: size}, *rounds, *partitions, *codec)
	default:
		err = run(ctx, *binary, *corpus, lines, size, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

// measureCorpus counts the lines and bytes of the corpus.
func measureCorpus(corpus string) (lines, size int64, err error) {
	info, err := os.Stat(corpus)
	if err != nil {
		return 0, 0, fmt.Errorf("the corpus, -corpus: %w", err)
	}
	lines, err = countLines(corpus)
	fmt.Printf("corpus: %d lines, %.1f MB\n", lines, float64(info.Size())/1e6)
	return lines, info.Size(), err
}

// speedSchema is where everything is stored.
const speedSchema = "speed"

var serverOptions = privatepg.Options{Durable: true, Settings: map[string]string{
	"shared_buffers": "2GB", "max_wal_size": "16GB", "min_wal_size": "8GB", "checkpoint_timeout": "1h",
}}

func run(ctx context.Context, binary, corpus string, lines, size int64, rounds int) (err error) {
	discard, err := importCorpus(ctx, binary, corpus, "--discard")
	if err != nil {
		return err
	}
	fmt.Printf("without a database: %s\n", discard.describe(lines, size))

	server, err := privatepg.Start(ctx, serverOptions)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	conn, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()

	var ratios []float64
	for i := range rounds + 1 {
		imported, loaded, err := round(ctx, server, conn, binary, corpus)
		if err != nil {
			return err
		}
		if i == 0 {
			continue // it paid for the server's first files of WAL, which the others use again
		}
		ratios = append(ratios, imported.committed.Seconds()/loaded.Seconds())
		fmt.Printf("import: all committed after %.2fs, %.0f lines/s; to its end, windows compacted: %s; server-side COPY of the same rows: %.2fs; "+
			"ratio of committed to COPY %.2f\n", imported.committed.Seconds(), float64(lines)/imported.committed.Seconds(),
			imported.describe(lines, size), loaded.Seconds(), ratios[len(ratios)-1])
	}
	slices.Sort(ratios)
	fmt.Printf("median ratio import until committed / server-side COPY: %.2f\n", ratios[len(ratios)/2])
	return nil
}

// round measures one import and one COPY of what it stored.
func round(ctx context.Context, server *privatepg.Server, conn *pgx.Conn, binary, corpus string) (result, time.Duration, error) {
	if _, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+speedSchema+" CASCADE"); err != nil {
		return result{}, 0, err
	}
	url := server.URL("postgres")
	if _, _, err := schema.Migrate(ctx, url, speedSchema); err != nil {
		return result{}, 0, err
	}
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return result{}, 0, err
	}
	committed := watchCommits(ctx, conn)
	imported, err := importCorpus(ctx, binary, corpus, "--database-url", url)
	last, watchErr := committed()
	if err = errors.Join(err, watchErr); err != nil {
		return result{}, 0, err
	}
	imported.committed = last
	rows := filepath.Join(server.Dir, "rows.copy")
	for _, statement := range []string{
		"COPY (SELECT * FROM speed.log_events) TO '" + rows + "' (FORMAT binary)",
		"TRUNCATE speed.log_events",
		"CHECKPOINT",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return result{}, 0, fmt.Errorf("%s: %w", statement, err)
		}
	}
	start := time.Now()
	if _, err := conn.Exec(ctx, "COPY speed.log_events FROM '"+rows+"' (FORMAT binary)"); err != nil {
		return result{}, 0, err
	}
	loaded := time.Since(start)
	return imported, loaded, os.Remove(rows)
}

// A result is what one run of the program cost.
type result struct {
	wall      time.Duration
	committed time.Duration // until the last line was stored; of imports only
	cpu       time.Duration // user and system
	rss       int64         // peak, bytes
}

// watchCommits looks at the ledger from now on. What it returns ends that, and says when the ledger last changed.
func watchCommits(ctx context.Context, conn *pgx.Conn) (end func() (time.Duration, error)) {
	ctx, stop := context.WithCancel(ctx)
	start, last := time.Now(), time.Duration(0)
	ended := make(chan error, 1)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for lines := int64(0); ; {
			select {
			case <-ctx.Done():
				ended <- nil
				return
			case <-tick.C:
			}
			var now int64
			err := conn.QueryRow(context.WithoutCancel(ctx), "SELECT coalesce(sum(lines), 0)::bigint FROM "+speedSchema+".log_positions").Scan(&now)
			if err != nil {
				ended <- err
				return
			}
			if now != lines {
				lines, last = now, time.Since(start)
			}
		}
	}()
	return func() (time.Duration, error) {
		stop()
		err := <-ended
		return last, err
	}
}

func (r result) describe(lines, size int64) string {
	s := r.wall.Seconds()
	return fmt.Sprintf("%.2fs, %.0f lines/s, %.1f MB/s, %.2f CPU-s per million lines, peak RSS %.0f MiB",
		s, float64(lines)/s, float64(size)/1e6/s, r.cpu.Seconds()/float64(lines)*1e6, float64(r.rss)/(1<<20))
}

func importCorpus(ctx context.Context, binary, corpus string, args ...string) (result, error) {
	cmd := exec.CommandContext(ctx, binary, append([]string{"import", corpus}, args...)...)
	cmd.Env = append(os.Environ(), "LOGFLUME_DATABASE_SCHEMA="+speedSchema)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return result{}, fmt.Errorf("%s: %w\n%s", cmd, err, stderr.Bytes())
	}
	return resultOf(cmd, time.Since(start)), nil
}

// resultOf returns what a command that has ended cost.
func resultOf(cmd *exec.Cmd, wall time.Duration) result {
	r := result{wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.rss = usage.Maxrss << 10
	}
	return r
}

func countLines(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var n int64
	block := make([]byte, 1<<20)
	for {
		got, err := f.Read(block)
		n += int64(bytes.Count(block[:got], []byte{'\n'}))
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
