package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// marked holds the lines that are waited for: their message, and when they were written.
type marked struct {
	mu      sync.Mutex
	written map[string]time.Time
}

func (s *marked) add(message string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written[message] = at
}

func (s *marked) take(message string) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.written[message]
	delete(s.written, message)
	return at, ok
}

func (s *marked) messages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	messages := make([]string, 0, len(s.written))
	for message := range s.written {
		messages = append(messages, message)
	}
	return messages
}

// singles appends lines to random files at random moments.
func (m *measurement) singles(ctx context.Context) error {
	if err := m.clear(ctx); err != nil {
		return err
	}
	moments := make([]time.Duration, m.appends)
	for i := range moments {
		moments[i] = rand.N(m.spread)
	}
	slices.Sort(moments)
	began := time.Now()
	latencies, err := m.timed(ctx, func(ctx context.Context, s *marked) error {
		for i, moment := range moments {
			if err := pause(ctx, time.Until(began.Add(moment))); err != nil {
				return err
			}
			message := fmt.Sprintf("single %d", i)
			at, err := m.work.appendTo(rand.N(m.files), line(message))
			if err != nil {
				return err
			}
			s.add(message, at)
		}
		return nil
	})
	m.figures.single = distributionOf(latencies)
	return err
}

// burst appends a line to every file as fast as possible.
func (m *measurement) burst(ctx context.Context) error {
	if err := m.clear(ctx); err != nil {
		return err
	}
	before, _ := spent(m.pid())
	server := m.serverSpent()
	began := time.Now()
	for i := range m.files {
		if _, err := m.work.appendTo(i, line(fmt.Sprintf("burst %d", i))); err != nil {
			return err
		}
	}
	written := time.Now()
	m.figures.burstWritten = written.Sub(began)
	if err := m.awaitRows(ctx, int64(m.files)); err != nil {
		return err
	}
	m.figures.burstStored = time.Since(written)
	after, _ := spent(m.pid())
	m.figures.burstCPU, m.figures.burstServer = after-before, m.serverSpent()-server
	return nil
}

// markedOf is which share of the lines of the constant writing is waited for.
const markedOf = 100

// write appends to many files all the time.
func (m *measurement) write(ctx context.Context) error {
	if m.busy = min(m.busy, m.files); m.busy == 0 {
		return nil
	}
	if err := m.clear(ctx); err != nil {
		return err
	}
	before, _ := spent(m.pid())
	server := m.serverSpent()
	began, lines := time.Now(), 0
	gap := time.Second / time.Duration(m.busy*m.rate)
	latencies, err := m.timed(ctx, func(ctx context.Context, s *marked) error {
		for ; time.Since(began) < m.writing; lines++ {
			message := fmt.Sprintf("busy %d", lines)
			at, err := m.work.appendTo(lines%m.busy, line(message))
			if err != nil {
				return err
			}
			if lines%markedOf == rand.N(markedOf) {
				s.add(message, at)
			}
			if err := pause(ctx, time.Until(began.Add(time.Duration(lines+1)*gap))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	if err := m.awaitRows(ctx, int64(lines)); err != nil {
		return err
	}
	after, _ := spent(m.pid())
	m.figures.busy, m.figures.busyCPU = distributionOf(latencies), share(after-before, took)
	m.figures.busyServer = share(m.serverSpent()-server, took)
	m.figures.busyRate = float64(lines) / took.Seconds()
	return nil
}

// timed runs write, which marks lines, and looks for their rows meanwhile and afterwards. It returns how long each took.
func (m *measurement) timed(ctx context.Context, write func(context.Context, *marked) error) ([]time.Duration, error) {
	s := &marked{written: map[string]time.Time{}}
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { ended <- write(ctx, s) }()
	writing := true
	var latencies []time.Duration
	err := m.program.until(ctx, "the lines are stored", 5*time.Millisecond, func() (bool, error) {
		select {
		case err := <-ended:
			writing = false
			if err != nil {
				return false, err
			}
		default:
		}
		waited := s.messages()
		if len(waited) == 0 {
			return !writing, nil
		}
		rows, err := m.conn.Query(ctx, "SELECT message FROM log_events WHERE message = ANY($1)", waited)
		if err != nil {
			return false, err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		now := time.Now()
		for _, message := range found {
			if at, ok := s.take(message); ok {
				latencies = append(latencies, now.Sub(at))
			}
		}
		return false, err
	})
	if writing {
		stop()
		err = cmp.Or(err, <-ended)
	}
	return latencies, err
}
