package postgres

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"logflume/internal/testkit"
	"logflume/pipeline"
)

func TestMaintain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink(func(o *Options) {
		o.Retention, o.RetentionWindows = 30*24*time.Hour, 90*24*time.Hour
		o.Sources = func() []byte { return []byte(`[{"path":"/a"}]`) }
	})
	s.pace.heartbeat, s.pace.compaction, s.pace.partitions = time.Millisecond, time.Millisecond, time.Millisecond
	r.exec("SELECT @ensure_partitions(ARRAY[current_date - 40, current_date - 10])")
	for range 3 { // shares of one window that ended long ago
		r.exec(`INSERT INTO @log_analytics (timestamp, window_seconds, service, summary)
			VALUES (date_trunc('minute', now() - interval '10 minutes'), 60, 's', '{"total_logs":1}')`)
	}
	r.exec(`INSERT INTO @log_analytics (timestamp, window_seconds, rolled)
		SELECT now() - make_interval(days => d), 3600, true FROM unnest(ARRAY[80, 100]) d`)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Maintain(ctx) }()

	testkit.Eventually(t, "partitions are made and dropped", func() bool {
		days := ask[[]int32](r, `SELECT array_agg((lower::date - current_date)::int ORDER BY lower) FROM @list_partitions()`)
		return slices.Equal(days, []int32{-10, 0, 1, 2, 3})
	})
	testkit.Eventually(t, "windows go, later than events", func() bool {
		days := ask[[]int32](r, `SELECT array_agg(extract(day FROM now() - timestamp)::int) FROM @log_analytics WHERE window_seconds = 3600
			AND timestamp < now() - interval '1 day'`)
		return slices.Equal(days, []int32{80})
	})
	testkit.Eventually(t, "shares are folded", func() bool {
		return ask[int64](r, "SELECT count(*) FROM @log_analytics WHERE NOT rolled") <= 1
	})
	seen := func() time.Time { return ask[time.Time](r, "SELECT max(seen_at) FROM @log_instances") }
	testkit.Eventually(t, "it shows to be alive", func() bool {
		return ask[int64](r, "SELECT count(*) FROM @log_instances WHERE instance = 'one' AND host = 'here' AND sources->0->>'path' = '/a'") == 1
	})
	first := seen()
	testkit.Eventually(t, "it does so again", func() bool { return seen().After(first) })
	r.exec("ALTER TABLE @log_instances RENAME TO away")
	testkit.Eventually(t, "a fault shows", func() bool {
		return slices.ContainsFunc(s.Health().Faults, func(f Fault) bool { return f.Part == "heartbeat" && f.Class == Misconfigured })
	})
	r.exec("ALTER TABLE @away RENAME TO log_instances")
	testkit.Eventually(t, "it passes", func() bool { return len(s.Health().Faults) == 0 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(r.log.String(), "expired data removed") {
		t.Error("what was dropped is not logged")
	}
}

// With the owner's connection a partition goes although somebody reads the table.
func TestOwnerDetaches(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, url := r.role("")
	s := r.sink(func(o *Options) {
		o.URL, o.MaintenanceURL, o.Retention = url, r.db.URL, 30*24*time.Hour
	})
	r.exec("SELECT @ensure_partitions(ARRAY[current_date - 45, current_date - 44, current_date])")
	r.exec("INSERT INTO @log_events (timestamp, source_offset, source_id) VALUES (current_date - 45, 1, 1), (current_date, 2, 2)")
	reader := r.db.Connect(t)
	tx, err := reader.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), r.in("SELECT count(*) FROM @log_events")); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := s.expire(t.Context())
		done <- err
	}()
	testkit.Eventually(t, "the detaching waits for the reader", func() bool {
		return ask[bool](r, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock')", s.options.Application)
	})
	r.exec("INSERT INTO @log_events (timestamp, source_offset, source_id) VALUES (current_date, 3, 2)") // nobody waits behind it
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.maintenance.close()
	if n := ask[int64](r, "SELECT count(*) FROM @list_partitions()"); n != 1 {
		t.Errorf("%d partitions left", n)
	}
	if n := ask[int64](r, "SELECT count(*) FROM @log_events"); n != 2 {
		t.Errorf("%d rows left", n)
	}
}

// A detaching that was cut off is finished.
func TestPendingDetachIsFinished(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink(func(o *Options) { o.MaintenanceURL, o.Retention = r.db.URL, 30*24*time.Hour })
	r.exec("SELECT @ensure_partitions(ARRAY[current_date - 45])")
	part := ask[string](r, "SELECT name FROM @list_partitions()")
	reader := r.db.Connect(t)
	tx, err := reader.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), r.in("SELECT count(*) FROM @log_events")); err != nil {
		t.Fatal(err)
	}
	cut := r.db.Connect(t)
	if _, err := cut.PgConn().Exec(t.Context(), r.in("SET statement_timeout = 50")).ReadAll(); err != nil {
		t.Fatal(err)
	}
	if _, err := cut.Exec(t.Context(), r.in("ALTER TABLE @log_events DETACH PARTITION @"+part+" CONCURRENTLY")); err == nil {
		t.Fatal("it was not cut off")
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.maintenance.close()
	if ask[bool](r, "SELECT to_regclass($1) IS NOT NULL", r.in("@"+part)) {
		t.Error("the partition is still there")
	}
}

func TestAhead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 27, 23, 59, 59, 0, time.UTC)
	if got := aheadOf(now); len(got) != daysAhead+1 || got[0] != pipeline.Day(now.UnixMicro()) || got[daysAhead] != got[0]+daysAhead {
		t.Errorf("%v", got)
	}
}
