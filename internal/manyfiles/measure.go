package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/privatepg"
)

// A measurement is one round.
type measurement struct {
	plan
	work        *work
	conn        *pgx.Conn
	server      *privatepg.Server
	url, schema string

	program *program // nil while none runs
	figures figures
}

// all measures everything in order.
func (m *measurement) all(ctx context.Context) error {
	for _, step := range []func(context.Context) error{m.firstStart, m.secondStart, m.rest, m.singles, m.burst, m.write} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	m.figures.peak = m.peakMemory()
	return nil
}

func (m *measurement) peakMemory() float64 {
	_, peak := memory(m.pid())
	return mebibytes(peak)
}

func (m *measurement) pid() int { return m.program.command.Process.Pid }

func (m *measurement) end() error {
	if m.program == nil {
		return nil
	}
	p := m.program
	m.program = nil
	return p.stop()
}

// firstStart starts the program with files of which no row tells.
func (m *measurement) firstStart(ctx context.Context) error {
	began := time.Now()
	if err := m.start(ctx, began, &m.figures.first); err != nil {
		return err
	}
	if err := m.awaitRows(ctx, int64(m.files*m.lines)); err != nil {
		return err
	}
	m.figures.allRead = time.Since(began)
	m.figures.firstPeak = m.peakMemory()
	return m.clear(ctx)
}

// secondStart starts it again.
func (m *measurement) secondStart(ctx context.Context) error {
	if err := m.end(); err != nil {
		return err
	}
	return m.start(ctx, time.Now(), &m.figures.second)
}

// start starts the program and waits until it reads all files.
func (m *measurement) start(ctx context.Context, began time.Time, f *startFigures) (err error) {
	if m.program, err = start(m.plan, m.work, m.url, m.schema); err != nil {
		return err
	}
	if err := m.program.until(ctx, "/readyz", 5*time.Millisecond, func() (bool, error) { return m.program.ready(ctx), nil }); err != nil {
		return err
	}
	f.ready = time.Since(began)
	if err := m.program.until(ctx, "the files are found", 5*time.Millisecond, func() (bool, error) {
		return m.program.log.contains("files found"), nil
	}); err != nil {
		return err
	}
	if err := m.await(ctx, "each file has its row", 5*time.Millisecond, "SELECT count(*) >= $1 FROM log_positions", m.files); err != nil {
		return err
	}
	f.complete = time.Since(began)
	f.cpu, _ = spent(m.pid())
	return nil
}

// rest watches the idle process. What a start leaves to do is given time to end.
func (m *measurement) rest(ctx context.Context) error {
	if err := pause(ctx, 10*time.Second); err != nil {
		return err
	}
	began, before := time.Now(), m.serverSpent()
	own, _ := spent(m.pid())
	if err := pause(ctx, m.idle); err != nil {
		return err
	}
	now, _ := spent(m.pid())
	took := time.Since(began)
	m.figures.idle = share(now-own, took)
	m.figures.idleServer = share(m.serverSpent()-before, took)
	rss, _ := memory(m.pid())
	m.figures.memory, m.figures.descriptors = mebibytes(rss), descriptors(m.pid())
	return nil
}

// serverSpent returns the time that the server has used so far, but for answering us.
func (m *measurement) serverSpent() time.Duration {
	return serverSpent(m.server.PID(), int(m.conn.PgConn().PID()))
}

// share returns used as percent of one core.
func share(used, of time.Duration) float64 { return 100 * used.Seconds() / of.Seconds() }

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// await asks a question of the database until its answer is true.
func (m *measurement) await(ctx context.Context, what string, every time.Duration, question string, args ...any) error {
	return m.program.until(ctx, what, every, func() (is bool, err error) {
		err = m.conn.QueryRow(ctx, question, args...).Scan(&is)
		return is, err
	})
}

// awaitRows waits until log_events has n rows.
func (m *measurement) awaitRows(ctx context.Context, n int64) error {
	return m.await(ctx, fmt.Sprintf("%d rows are stored", n), 20*time.Millisecond, "SELECT count(*) >= $1 FROM log_events", n)
}

// clear removes the stored events, so that looking for new ones stays quick.
func (m *measurement) clear(ctx context.Context) error {
	_, err := m.conn.Exec(ctx, "TRUNCATE log_events")
	return err
}

// pause waits for d.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
