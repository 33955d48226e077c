package postgres

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/testkit"
)

// writer begins a writer's transaction that moves the position of a source.
func (r *rig) writer(application, key string) *pgx.Conn {
	r.Helper()
	config, err := pgx.ParseConfig(r.db.URL)
	if err != nil {
		r.Fatal(err)
	}
	config.RuntimeParams["application_name"] = application
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		r.Fatal(err)
	}
	begin := r.in("BEGIN; UPDATE @log_positions SET position = position + 7 WHERE source_key = '" + key + "'")
	if _, err := conn.PgConn().Exec(context.Background(), begin).ReadAll(); err != nil {
		r.Fatal(err)
	}
	return conn
}

// freeze begins a writer's transaction that moves the position of a source and then hangs in the middle of a COPY.
func (r *rig) freeze(key, application string) {
	r.Helper()
	conn := r.writer(application, key)
	data, hang := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = conn.PgConn().CopyFrom(context.Background(), data, newCatalog(r.db.Schema).copyEvents)
	}()
	if _, err := hang.Write(copyHeader); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		hang.Close()
		<-ended
		conn.Close(context.Background())
	})
}

// A handClock stands still and counts how often it was looked at.
type handClock struct{ seconds, looks atomic.Int64 }

func (c *handClock) now() time.Time {
	c.looks.Add(1)
	return time.Unix(c.seconds.Load(), 0)
}

// add moves the clock on and waits until the sink, which has a locked stream, has tried again for several times.
func (c *handClock) add(t *testing.T, seconds int64) {
	t.Helper()
	c.seconds.Add(seconds)
	before := c.looks.Load()
	testkit.Eventually(t, "the stream was tried again", func() bool { return c.looks.Load() > before+20 })
}

func TestFrozenWriterIsEnded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	clock := &handClock{}
	s.pace.now = clock.now
	if _, err := s.Checkpoints().Create(t.Context(), "a", nil); err != nil {
		t.Fatal(err)
	}
	r.freeze("a", s.options.Application)
	f := &feed{key: "a", lines: 1000, batch: 50, line: number}
	_, wait := r.start(t.Context(), s, f)
	testkit.Eventually(t, "the stream is found locked", func() bool { return s.Health().Locked == 1 })
	clock.add(t, 4)
	clock.add(t, 3)
	if n := s.options.Stats.Terminated.Load(); n != 0 {
		t.Errorf("%d sessions ended before their time", n)
	}
	clock.seconds.Add(1)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if n := s.options.Stats.Terminated.Load(); n != 1 {
		t.Errorf("%d sessions ended", n)
	}
	r.exactlyOnce(f)
}

// A writer that is at work in the server, or whose client goes on sending, is left alone, however long it holds the row.
func TestBusyWriterIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, work := range map[string]func(*rig, *pgx.Conn) (progress, end func()){
		"in the server": func(r *rig, conn *pgx.Conn) (progress, end func()) {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _ = conn.Exec(context.Background(), "SELECT pg_sleep(3600)")
			}()
			return func() {}, func() {
				r.exec("SELECT pg_cancel_backend($1)", int32(conn.PgConn().PID()))
				<-ended
			}
		},
		"fed slowly": func(r *rig, conn *pgx.Conn) (progress, end func()) {
			data, slow := io.Pipe()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _ = conn.PgConn().CopyFrom(context.Background(), data, r.in("COPY @drips FROM STDIN"))
			}()
			var sent int64
			progress = func() {
				n, err := slow.Write([]byte("drip\n"))
				if err != nil {
					r.Fatal(err)
				}
				sent += int64(n)
				testkit.Eventually(r, "it is read", func() bool {
					return ask[bool](r, "SELECT EXISTS (SELECT FROM pg_stat_progress_copy WHERE pid = $1 AND bytes_processed = $2)",
						int32(conn.PgConn().PID()), sent)
				})
			}
			progress()
			return progress, func() {
				slow.Close()
				<-ended
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := r.sink()
			clock := &handClock{}
			s.pace.now = clock.now
			if _, err := s.Checkpoints().Create(t.Context(), "a", nil); err != nil {
				t.Fatal(err)
			}
			r.exec("CREATE TABLE @drips (a text)")
			holder := r.writer(s.options.Application, "a")
			progress, end := work(r, holder)
			defer holder.Close(context.Background())
			f := &feed{key: "a", lines: 500, batch: 50, line: number}
			_, wait := r.start(t.Context(), s, f)
			testkit.Eventually(t, "the stream is found locked", func() bool { return s.Health().Locked == 1 })
			for range 12 {
				progress()
				clock.add(t, 2)
			}
			end()
			holder.Close(context.Background())
			if err := wait(); err != nil {
				t.Fatal(err)
			}
			if n := s.options.Stats.Terminated.Load(); n != 0 {
				t.Errorf("%d sessions ended", n)
			}
			if n := strings.Count(r.log.String(), "another writer's transaction takes long"); name == "in the server" && n != 1 {
				t.Errorf("reported %d times", n)
			}
			r.exactlyOnce(f)
		})
	}
}

// A session that is not a writer's is left alone, however long it holds the row.
func TestStrangerIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	s.pace.frozenAfter = time.Millisecond
	if _, err := s.Checkpoints().Create(t.Context(), "a", nil); err != nil {
		t.Fatal(err)
	}
	unlock := r.lock("a")
	f := &feed{key: "a", lines: 500, batch: 50, line: number}
	_, wait := r.start(t.Context(), s, f)
	testkit.Eventually(t, "the holder is reported", func() bool { return strings.Contains(r.log.String(), "no writer") })
	unlock()
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(r.log.String(), "no writer"); n != 1 || s.options.Stats.Terminated.Load() != 0 {
		t.Errorf("reported %d times, ended %d", n, s.options.Stats.Terminated.Load())
	}
	r.exactlyOnce(f)
}
