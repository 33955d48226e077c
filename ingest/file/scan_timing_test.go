package file

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"logflume/pipeline"
)

// BenchmarkScan lists and looks at 10,000 files of which nothing has changed.
func BenchmarkScan(b *testing.B) {
	dir := b.TempDir()
	for i := range 10_000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("app-%d.log", i)), nil, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	o := Options{Inputs: []Input{{Paths: []string{filepath.Join(dir, "*.log")}}}, Host: "host", Log: slog.New(slog.DiscardHandler)}
	if err := o.complete(); err != nil {
		b.Fatal(err)
	}
	watch := newWatcher(o.Log)
	defer watch.kernel.Close()
	in := pipeline.NewIntake(newStore().connect(), pipeline.NewBudget(1<<20), &pipeline.Stats{}, 1)
	k := newKeeper(context.Background(), o, in, watch)
	defer k.closeAll()
	k.scan()
	for b.Loop() {
		k.scan()
	}
}
