package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"logflume/ingest/file"
	"logflume/pipeline"
)

const (
	barInterval  = 100 * time.Millisecond
	lineInterval = 5 * time.Second
)

// showProgress shows how far an import is until end is called: a bar on a terminal, a line in the log now and then
// elsewhere.
func showProgress(to io.Writer, source *file.Import, stats *pipeline.Stats, log *slog.Logger) (end func()) {
	if f, ok := to.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return showBar(to, source, stats)
	}
	return every(lineInterval, func() {
		done, total, files := sumProgress(source)
		log.Info("importing", "files", files, "read_bytes", done, "of_bytes", total, "committed_lines", stats.Lines.Load())
	})
}

func showBar(to io.Writer, source *file.Import, stats *pipeline.Stats) (end func()) {
	started := time.Now()
	_, total, _ := sumProgress(source)
	container := mpb.New(mpb.WithOutput(to), mpb.WithRefreshRate(barInterval))
	bar := container.AddBar(total,
		mpb.PrependDecorators(
			decor.Any(func(decor.Statistics) string { _, _, files := sumProgress(source); return files + "  " }),
			decor.CountersKibiByte("% .1f / % .1f"),
		),
		mpb.AppendDecorators(
			decor.NewPercentage("%d  "),
			decor.Any(func(decor.Statistics) string {
				return fmt.Sprintf("%.0f lines/s", float64(stats.Lines.Load())/time.Since(started).Seconds())
			}),
		),
	)
	set := func() {
		done, _, _ := sumProgress(source)
		bar.SetCurrent(min(done, max(total-1, 0))) // the last byte is for the commit
	}
	stop := every(barInterval, set)
	return func() {
		stop()
		if done, _, _ := sumProgress(source); done >= total {
			bar.SetTotal(done, true)
		} else {
			bar.Abort(false)
		}
		container.Wait()
	}
}

// sumProgress adds up all files: bytes read, bytes there are, and how many files of how many are done.
func sumProgress(source *file.Import) (done, total int64, files string) {
	list := source.Progress()
	ended := 0
	for _, p := range list {
		done, total = done+p.Done, total+p.Total
		if p.Ended {
			ended++
		}
	}
	return done, total, fmt.Sprintf("%d/%d files", ended, len(list))
}

// every calls f at an interval until the function it returns is called, which waits for the last call.
func every(interval time.Duration, f func()) (stop func()) {
	tick := time.NewTicker(interval)
	stopped := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			select {
			case <-tick.C:
				f()
			case <-stopped:
				return
			}
		}
	})
	return func() {
		tick.Stop()
		close(stopped)
		all.Wait()
	}
}
