package postgres

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"logflume/internal/privatepg"
	"logflume/internal/testkit"
	"logflume/pipeline"
)

// BenchmarkAgainstServerCopy stores the same rows in the same table twice, by turns: through the sink, from batches that
// are parsed already, and by COPY FROM a file on the server, which is as fast as a table can be filled over one
// connection. The metric ratio is the time of the first over that of the second.
//
//	go test -run '^$' -bench AgainstServerCopy -benchtime 3x ./sink/postgres
func BenchmarkAgainstServerCopy(b *testing.B) {
	const rows, batch = 200_000, 500
	server := testkit.Server(b, privatepg.Options{Settings: map[string]string{"shared_buffers": "512MB", "max_wal_size": "8GB"}})
	r := rigOn(b, testkit.DB{URL: server.URL("postgres"), Schema: "logs"})
	encoded := typical(batch)
	Encoder{}.Process(encoded)
	file := copyFile(b, server, encoded, rows/batch)

	var ours, theirs time.Duration
	for b.Loop() {
		r.exec("TRUNCATE @log_events")
		start := time.Now()
		s := r.sink(func(o *Options) { o.FlushRows, o.FlushInterval = defaultFlushRows, defaultFlushInterval })
		f := &prepared{rows: rows, batch: encoded}
		if err := r.runPrepared(s, f); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(start)
		if n := ask[int64](r, "SELECT count(*) FROM @log_events"); n != rows {
			b.Fatalf("%d rows", n)
		}
		r.exec("TRUNCATE @log_events")
		r.exec("DELETE FROM @log_positions")
		start = time.Now()
		r.exec("COPY @log_events FROM '" + file + "' (FORMAT binary)")
		theirs += time.Since(start)
	}
	b.ReportMetric(float64(rows*b.N)/ours.Seconds(), "rows/s")
	b.ReportMetric(float64(rows*b.N)/theirs.Seconds(), "rows/s-server")
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "ratio")
}

// copyFile writes a file that the server can read, with the rows of a batch times times.
func copyFile(b *testing.B, server *privatepg.Server, batch *pipeline.Batch, times int) string {
	path := filepath.Join(server.SocketDir(), "rows.bin")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	_, _ = f.Write(copyHeader)
	for range times {
		_, _ = f.Write(batch.Rows)
	}
	if _, err := f.Write(copyTrailer); err != nil {
		b.Fatal(err)
	}
	if err := f.Chmod(0o644); err != nil {
		b.Fatal(err)
	}
	return path
}

// prepared is a source of batches whose events are there already.
type prepared struct {
	rows  int64
	batch *pipeline.Batch
}

func (p *prepared) Run(ctx context.Context, in *pipeline.Intake) error {
	c, err := in.Checkpoints.Create(ctx, "prepared", nil)
	if err != nil {
		return err
	}
	s := pipeline.NewStream(c)
	size := int64(len(p.batch.Events))
	for at := int64(0); at < p.rows; at += size {
		b, err := in.Batch(ctx, s, 256<<10)
		if err != nil {
			return fmt.Errorf("batch: %w", err)
		}
		b.From, b.To = at, at+size
		b.Lines = append(b.Lines, p.batch.Lines...)
		if err := in.Send(ctx, b); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	return s.WaitCommitted(ctx, p.rows)
}

// Process is the parsing: it costs nothing.
func (p *prepared) Process(b *pipeline.Batch) { b.Events = append(b.Events, p.batch.Events...) }

func (r *rig) runPrepared(s *Sink, p *prepared) error {
	return pipeline.Run(context.Background(), pipeline.Pipeline{
		Sources: []pipeline.Source{p}, Intake: pipeline.NewIntake(s.Checkpoints(), pipeline.NewBudget(64<<20), s.options.Stats, 16),
		Workers: 1, Stages: func() []pipeline.Processor { return []pipeline.Processor{p, Encoder{}} }, Sink: s,
	})
}
