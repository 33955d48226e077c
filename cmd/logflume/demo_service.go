package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"
)

// A sampleService writes a log file as a real service would: lines in bursts, and a rotation now and then.
type sampleService struct {
	name   string
	path   string
	pace   int // lines a second, about
	line   func(w *bufio.Writer, r *rand.Rand, n int64)
	rotate func(path string, f *os.File) (*os.File, error)

	written   atomic.Int64 // lines
	rotations atomic.Int64
}

const (
	burstInterval    = 50 * time.Millisecond
	rotationInterval = 3 * time.Second
	backups          = 5 // rotated files that are kept; the oldest is read long before it goes
)

// run writes until ctx ends.
func (s *sampleService) run(ctx context.Context, seed uint64) error {
	f, err := create(s.path)
	if err != nil {
		return err
	}
	defer func() { f.Close() }()
	r := rand.New(rand.NewPCG(seed, 0))
	burst, rotation := time.NewTicker(burstInterval), time.NewTicker(rotationInterval)
	defer burst.Stop()
	defer rotation.Stop()
	for {
		select {
		case <-burst.C:
			perBurst := float64(s.pace) * burstInterval.Seconds()
			if err := s.write(f, r, int(perBurst*(0.5+r.Float64()))); err != nil {
				return fmt.Errorf("write %s: %w", s.path, err)
			}
		case <-rotation.C:
			if f, err = s.rotate(s.path, f); err != nil {
				return fmt.Errorf("rotate %s: %w", s.path, err)
			}
			s.rotations.Add(1)
		case <-ctx.Done():
			return nil
		}
	}
}

// write writes n lines.
func (s *sampleService) write(f *os.File, r *rand.Rand, n int) error {
	w := bufio.NewWriter(f)
	for i := range n {
		s.line(w, r, s.written.Load()+int64(i))
	}
	err := w.Flush()
	s.written.Add(int64(n))
	return err
}

// create opens path for appending.
func create(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
}

// shift renames path.4 to path.5 and so on; path itself stays. What was path.5 is gone.
func shift(path string) error {
	for i := backups - 1; i >= 1; i-- {
		err := os.Rename(fmt.Sprintf("%s.%d", path, i), fmt.Sprintf("%s.%d", path, i+1))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// rotateByRename does what logrotate does by default: rename, then begin a new file.
func rotateByRename(path string, f *os.File) (*os.File, error) {
	if err := shift(path); err != nil {
		return f, err
	}
	if err := os.Rename(path, path+".1"); err != nil {
		return f, err
	}
	next, err := create(path)
	if err != nil {
		return f, err
	}
	return next, f.Close()
}

// rotateByDate gives the full file a name with the time, as many loggers do, and keeps all.
func rotateByDate(path string, f *os.File) (*os.File, error) {
	if err := f.Close(); err != nil {
		return f, err
	}
	if err := os.Rename(path, path+"."+time.Now().UTC().Format("20060102T150405.000")); err != nil {
		return f, err
	}
	return create(path)
}

// rotateByCopy does what logrotate's copytruncate does: copy, then empty the file in place.
func rotateByCopy(path string, f *os.File) (*os.File, error) {
	if err := shift(path); err != nil {
		return f, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return f, err
	}
	if err := os.WriteFile(path+".1", content, 0o644); err != nil {
		return f, err
	}
	return f, f.Truncate(0)
}
