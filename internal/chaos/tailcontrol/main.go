// Command tailcontrol follows log files as is often done: each with github.com/nxadm/tail, which reopens a file when it is
// rotated, and with the positions in a file that is written from time to time. It is wrong on purpose: a control for the
// judge. It stands for logflume: the same arguments, the same configuration, rows in the same tables.
//
// It is given every chance: at SIGTERM it reads each file to its end and stores what it has before it ends.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/nxadm/tail"
)

type config struct {
	Database struct{ URL, Schema string }
	Sources  []struct{ File struct{ Paths []string } }
	Control  struct {
		Poll bool // look at the files from time to time, where the kernel reports nothing
	}
}

const (
	lookInterval  = 50 * time.Millisecond // between two looks for new files
	flushInterval = 20 * time.Millisecond // between two commits
	saveInterval  = time.Second           // between two writes of the positions
	stuck         = 200                   // flushes without a line after which there are no more, whatever the files' sizes
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 || os.Args[1] != "run" || os.Args[2] != "--config" {
		log.Fatal("usage: tailcontrol run --config <file>")
	}
	if err := run(os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func run(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var c config
	if err := yaml.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := openStore(c.Database.URL, c.Database.Schema, filepath.Join(filepath.Dir(path), "positions.json"))
	if err != nil {
		return err
	}
	log.Print("tailcontrol runs")
	f := follower{config: c, store: s, files: map[string]*followed{}, lines: make(chan line, 1024)}
	return f.run(ctx)
}

// A line is one that was read.
type line struct {
	path string
	end  int64
	text string
}

type followed struct {
	tail *tail.Tail
	end  int64 // of the last line
}

type follower struct {
	config
	store *store
	files map[string]*followed
	lines chan line
}

// run stores lines until ctx ends and every file is read to its end.
func (f *follower) run(ctx context.Context) error {
	look, flush, save := time.NewTicker(lookInterval), time.NewTicker(flushInterval), time.NewTicker(saveInterval)
	if err := f.find(); err != nil {
		return err
	}
	var batch []line
	idle := 0 // flushes without a line
	for {
		select {
		case l := <-f.lines:
			batch = append(batch, l)
			f.files[l.path].end = l.end
		case <-look.C:
			if err := f.find(); err != nil {
				return err
			}
		case <-flush.C:
			if err := f.store.insert(batch); err != nil {
				return err
			}
			if idle++; len(batch) > 0 {
				batch, idle = nil, 0
			}
			if ctx.Err() != nil && (f.complete() || idle > stuck) {
				return f.store.save()
			}
		case <-save.C:
			if err := f.store.save(); err != nil {
				return err
			}
		}
	}
}

// find begins to follow the files that appeared. Rotated ones are not followed: what was in them was read under the name
// that they had.
func (f *follower) find() error {
	for _, pattern := range f.Sources[0].File.Paths {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, path := range paths {
			if filepath.Ext(path) != ".log" || f.files[path] != nil {
				continue
			}
			if err := f.follow(path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *follower) follow(path string) error {
	from := f.store.positions[path]
	if info, err := os.Stat(path); err != nil || info.Size() < from {
		from = 0
	}
	t, err := tail.TailFile(path, tail.Config{
		ReOpen: true, Follow: true, Poll: f.Control.Poll, Location: &tail.SeekInfo{Offset: from}, Logger: tail.DiscardingLogger,
	})
	if err != nil {
		return err
	}
	f.files[path] = &followed{tail: t, end: from}
	go func() {
		for l := range t.Lines {
			f.lines <- line{path: path, end: l.SeekInfo.Offset, text: l.Text}
		}
	}()
	return nil
}

// complete reports whether every file is read to its end.
func (f *follower) complete() bool {
	for path, file := range f.files {
		if info, err := os.Stat(path); err != nil || info.Size() != file.end {
			return false
		}
	}
	return len(f.lines) == 0
}
