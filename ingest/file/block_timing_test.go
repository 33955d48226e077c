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
	for _, length := range []int{20, 200, 2000} {
		b.Run(fmt.Sprintf("line=%d", length), func(b *testing.B) {
			line := strings.Repeat("x", length-1) + "\n"
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
				r := &blockReader{src: f, limit: DefaultLineLimit, room: 256 << 10}
				batch := &pipeline.Batch{Arena: make([]byte, 0, 256<<10)}
				for r.pos < int64(size) {
					batch.Lines = batch.Lines[:0]
					if what, err := r.fill(batch, int64(size), false); what != full || err != nil {
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
