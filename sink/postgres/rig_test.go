package postgres

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/testkit"
	"logflume/pipeline"
	"logflume/schema"
)

// A rig is a database with tables, and pipelines from feeds into it.
type rig struct {
	testing.TB
	db   testkit.DB
	conn *pgx.Conn // a superuser's, for looking
	log  *journal  // of all sinks
}

func newRig(t testing.TB) *rig {
	t.Helper()
	return rigOn(t, testkit.Postgres(t))
}

func rigOn(t testing.TB, db testkit.DB) *rig {
	t.Helper()
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, db: db, conn: db.Connect(t), log: &journal{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the sinks:\n%s", r.log)
		}
	})
	return r
}

// sink returns a sink that waits for little. change may alter its options.
func (r *rig) sink(change ...func(*Options)) *Sink {
	r.Helper()
	o := Options{
		URL: r.db.URL, Schema: r.db.Schema, Application: r.db.Schema,
		Instance: "one", Host: "here", Version: "test",
		FlushRows: 200, FlushInterval: 20 * time.Millisecond,
		NewAggregate: func() pipeline.Aggregate { return &count{} },
		Calendar:     pipeline.NewCalendar(200, time.Now), Stats: &pipeline.Stats{},
		Log: slog.New(slog.NewTextHandler(r.log, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	s, err := New(o)
	if err != nil {
		r.Fatal(err)
	}
	s.pace.firstRetry, s.pace.lastRetry, s.pace.lockedRetry = time.Millisecond, 50*time.Millisecond, 10*time.Millisecond
	s.pace.faultRetry = 20 * time.Millisecond
	r.Cleanup(s.Close)
	return s
}

// start runs feeds into s and returns a function that stops them, and one that waits for their end.
func (r *rig) start(ctx context.Context, s *Sink, feeds ...*feed) (stop func(), wait func() error) {
	ctx, stop = context.WithCancel(ctx)
	end := make(chan error, 1)
	go func() { end <- r.run(ctx, s, feeds...) }()
	var once sync.Once
	var err error
	wait = func() error {
		once.Do(func() { err = <-end })
		return err
	}
	r.Cleanup(func() {
		stop()
		_ = wait()
	})
	return stop, wait
}

func (r *rig) run(ctx context.Context, s *Sink, feeds ...*feed) error {
	intake := pipeline.NewIntake(s.Checkpoints(), pipeline.NewBudget(64<<20), s.options.Stats, 16)
	sources := make([]pipeline.Source, len(feeds))
	for i, f := range feeds {
		sources[i] = f
	}
	return pipeline.Run(ctx, pipeline.Pipeline{
		Sources: sources, Intake: intake, Workers: 2,
		Stages: func() []pipeline.Processor { return []pipeline.Processor{reader{}, Encoder{}} },
		Sink:   s, Grace: time.Minute,
	})
}

// ask returns the one value that a query about the test's schema gives.
func ask[T any](r *rig, query string, args ...any) T {
	r.Helper()
	var v T
	if err := r.conn.QueryRow(context.Background(), r.in(query), args...).Scan(&v); err != nil {
		r.Fatalf("%s: %v", query, err)
	}
	return v
}

func (r *rig) exec(query string, args ...any) {
	r.Helper()
	if _, err := r.conn.Exec(context.Background(), r.in(query), args...); err != nil {
		r.Fatalf("%s: %v", query, err)
	}
}

// in puts the schema before table names marked with @.
func (r *rig) in(query string) string {
	return string(bytes.ReplaceAll([]byte(query), []byte("@"), []byte(r.db.Schema+".")))
}

// exactlyOnce checks that each source has every number exactly once, as a row or a dead letter or not kept, and that
// the ledger says the same.
func (r *rig) exactlyOnce(feeds ...*feed) {
	r.Helper()
	for _, f := range feeds {
		type sums struct{ Position, Lines, Kept, Filtered, Dead, Events, Analysed, Rows, Distinct, Letters int64 }
		rows, err := r.conn.Query(context.Background(), r.in(`
			SELECT position, lines, kept, filtered, dead, events, analysed,
				(SELECT count(*) FROM @log_events e WHERE e.source_id = p.source_id),
				(SELECT count(DISTINCT source_offset) FROM @log_events e WHERE e.source_id = p.source_id),
				(SELECT count(*) FROM @log_dead_letters d WHERE d.source_id = p.source_id)
			FROM @log_positions p WHERE source_key = $1`), f.key)
		if err != nil {
			r.Fatal(err)
		}
		s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[sums])
		if err != nil {
			r.Fatalf("%s: %v", f.key, err)
		}
		if s.Position != f.lines || s.Lines != f.lines || s.Lines != s.Kept+s.Filtered+s.Dead ||
			s.Rows != s.Events || s.Rows != s.Distinct || s.Rows != s.Kept || s.Letters != s.Dead {
			r.Errorf("%s: %d lines became %+v", f.key, f.lines, s)
		}
	}
	r.exactlyOnceTotals()
}

// exactlyOnceTotals checks that the windows count what the ledger counts.
func (r *rig) exactlyOnceTotals() {
	r.Helper()
	analysed := ask[int64](r, `SELECT coalesce(sum(analysed), 0)::bigint FROM @log_positions`)
	counted := ask[int64](r, `SELECT coalesce(sum((summary->>'total_logs')::bigint), 0)::bigint FROM @log_analytics`)
	if analysed != counted {
		r.Errorf("the ledger has %d events analysed, the windows have %d", analysed, counted)
	}
}

// A journal keeps what is logged.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}
