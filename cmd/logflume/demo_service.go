package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// A sampleService logs as a real service would: lines in bursts.
type sampleService struct {
	name string
	pace int // lines a second, about
	line func(w *bufio.Writer, r *rand.Rand, n int64)

	written atomic.Int64 // lines
}

// An outlet takes what one service logs. One goroutine uses it.
type outlet interface {
	// write takes whole lines, each with its newline. It is not given up half-way: lines are counted when it returns.
	write(lines []byte) error
	close() error
}

const burstInterval = 50 * time.Millisecond

// run logs to out until ctx ends, and closes it.
func (s *sampleService) run(ctx context.Context, out outlet, seed uint64) error {
	defer out.close() // what was written is there
	r := rand.New(rand.NewPCG(seed, 0))
	burst := time.NewTicker(burstInterval)
	defer burst.Stop()
	for {
		select {
		case <-burst.C:
			perBurst := float64(s.pace) * burstInterval.Seconds()
			if err := s.write(out, r, int(perBurst*(0.5+r.Float64()))); err != nil {
				return fmt.Errorf("write what %s logs: %w", s.name, err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// write logs n lines.
func (s *sampleService) write(out outlet, r *rand.Rand, n int) error {
	var lines bytes.Buffer
	w := bufio.NewWriter(&lines)
	for i := range n {
		s.line(w, r, s.written.Load()+int64(i))
	}
	w.Flush() // always nil: to memory
	if err := out.write(lines.Bytes()); err != nil {
		return err
	}
	s.written.Add(int64(n))
	return nil
}
