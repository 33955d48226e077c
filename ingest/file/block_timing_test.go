package file

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"logflume/pipeline"
)

// BenchmarkBlockReader reads a file of 64 MiB from page cache: the reading alone, without workers and sink.
func BenchmarkBlockReader(b *testing.B) {
	for _, c := range []struct {
		name, line string
		joins      Joins
	}{
		{"line=20", strings.Repeat("x", 19) + "\n", Joins{}},
		{"line=200", strings.Repeat("x", 199) + "\n", Joins{}},
		{"line=2000", strings.Repeat("x", 1999) + "\n", Joins{}},
		{"json", `{"msg":"` + strings.Repeat("x", 189) + "\"}\n", allJoins},
		{"text", "2026-01-20 12:00:00 " + strings.Repeat("x", 179) + "\n", allJoins},
		{"cri", inCRI("stdout", `{"msg":"`+strings.Repeat("x", 160)+`"}`), allJoins},
		{"docker", inDocker("stdout", `{"msg":"`+strings.Repeat("x", 130)+`"}`), allJoins},
	} {
		b.Run(c.name, func(b *testing.B) {
			line, length := c.line, len(c.line)
			size := 64 << 20 / length * length
			path := filepath.Join(b.TempDir(), "log")
			if err := os.WriteFile(path, []byte(strings.Repeat(line, size/length)), 0o644); err != nil {
				b.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r := &blockReader{src: f, limit: DefaultLineLimit, room: 256 << 10, joins: joiner{Joins: c.joins, limit: DefaultLineLimit}}
				batch := &pipeline.Batch{Arena: make([]byte, 0, 256<<10)}
				for r.pos < int64(size) {
					batch.Lines = batch.Lines[:0]
					if what, err := r.fill(batch, int64(size), true); what != full || err != nil {
						b.Fatal(what, err)
					}
					if err := r.advance(batch); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N)*float64(size/length)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// BenchmarkImport is an import into a pipeline that does nothing with the lines.
func BenchmarkImport(b *testing.B) {
	lines := make([]string, 100_000)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"n":%d,"message":%q}`, i, strings.Repeat("x", 180))
	}
	text := joined(lines)
	path := filepath.Join(b.TempDir(), "log")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		m, err := NewImport(ImportOptions{Paths: []string{path}, Host: "host"})
		if err != nil {
			b.Fatal(err)
		}
		c := newStore().connect()
		in := pipeline.NewIntake(c, pipeline.NewBudget(64<<20), &pipeline.Stats{}, 8)
		err = pipeline.Run(context.Background(), pipeline.Pipeline{
			Sources: []pipeline.Source{m}, Intake: in, Workers: 2, Grace: patience, Sink: discard{c},
			Stages: func() []pipeline.Processor { return nil },
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(lines))/b.Elapsed().Seconds(), "lines/s")
}

// discard is a sink that moves positions and forgets the lines.
type discard struct{ *connection }

func (d discard) Run(ctx context.Context, in <-chan *pipeline.Batch) error {
	for b := range in {
		<-b.Done()
		b.Lines = b.Lines[:0]
		d.commit(b)
		b.Release()
	}
	return nil
}
