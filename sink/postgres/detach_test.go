package postgres

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"logflume/internal/testkit"
)

// expiring returns a sink with the owner's connection, and the name of a partition that it is to drop.
func (r *rig) expiring() (s *Sink, part string) {
	r.Helper()
	s = r.sink(func(o *Options) { o.MaintenanceURL, o.Retention = r.db.URL, 30*24*time.Hour })
	r.exec("SELECT @ensure_partitions(ARRAY[current_date - 45])")
	return s, r.in("@" + ask[string](r, "SELECT name FROM @list_partitions()"))
}

func (r *rig) exists(table string) bool {
	r.Helper()
	return ask[bool](r, "SELECT to_regclass($1) IS NOT NULL", table)
}

// maintains runs Maintain until the test ends.
func (r *rig) maintains(s *Sink) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Maintain(ctx) }()
	r.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			r.Error(err)
		}
	})
}

// What can be detached and not dropped is a fault as long as that lasts, and dropped in the end.
func TestDroppingIsTriedUntilItSucceeds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, part := r.expiring()
	r.exec("SELECT @ensure_partitions(ARRAY[current_date - 200])")
	r.exec("CREATE VIEW @kept AS SELECT message FROM " + part)
	for range 2 { // also when there is nothing left to detach
		if _, err := s.expire(t.Context()); sqlState(err) != "2BP01" {
			t.Fatalf("with a view on the partition: %v", err)
		}
	}
	if n := ask[int](r, "SELECT count(*) FROM @list_partitions()"); n != 0 || !r.exists(part) {
		t.Errorf("%d partitions left, or the one with a view on it is gone", n)
	}
	if n := ask[int](r, `SELECT count(*) FROM pg_class WHERE relnamespace = $1::regnamespace AND relname ~ '^log_events_\d+$' AND relkind = 'r'`, r.db.Schema); n != 1 {
		t.Errorf("%d tables left, want the one with a view on it", n)
	}
	r.maintains(s)
	faulty := func() bool {
		return slices.ContainsFunc(s.Health().Faults, func(f Fault) bool { return f.Part == "retention" && f.Class == Retry })
	}
	testkit.Eventually(t, "the fault shows", faulty)
	r.exec("DROP VIEW @kept")
	testkit.Eventually(t, "the table goes, and the fault", func() bool { return !r.exists(part) && !faulty() })
}

// A table is only dropped that was marked before it was detached, and whose time has come.
func TestOthersTablesAreKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, _ := r.expiring()
	young := r.in("@young")
	for _, table := range []string{r.in("@log_events_20200101"), r.in("@detached"), young, r.in("@elsewhere")} {
		r.exec("CREATE TABLE " + table + " (LIKE @log_events INCLUDING ALL)")
	}
	r.exec("ALTER TABLE @log_events ATTACH PARTITION @detached FOR VALUES FROM ('2019-01-01Z') TO ('2019-01-02Z')")
	r.exec("ALTER TABLE @log_events DETACH PARTITION @detached")
	comment := func(table, mark string, end time.Time) {
		r.exec("COMMENT ON TABLE " + table + " IS '" + mark + ask[string](r, "SELECT $1::bigint::text", end.Unix()) + "'")
	}
	comment(young, s.mark(), time.Now().Add(-20*24*time.Hour)) // the retention was shorter when it was marked
	other := Sink{sql: newCatalog("another")}
	comment(r.in("@elsewhere"), other.mark(), time.Unix(0, 0))
	if _, err := s.expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{r.in("@log_events_20200101"), r.in("@detached"), young, r.in("@elsewhere")} {
		if !r.exists(table) {
			t.Errorf("%s was dropped", table)
		}
	}
	comment(young, s.mark(), time.Now().Add(-40*24*time.Hour))
	if _, err := s.expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.exists(young) {
		t.Error("a marked table was not dropped")
	}
}

// read holds a transaction that has read log_events until the returned function is called.
func (r *rig) read() (end func()) {
	r.Helper()
	tx, err := r.db.Connect(r).Begin(context.Background())
	if err == nil {
		_, err = tx.Exec(context.Background(), r.in("SELECT count(*) FROM @log_events"))
	}
	if err != nil {
		r.Fatal(err)
	}
	return func() { _ = tx.Rollback(context.Background()) }
}

// While the retention waits for somebody who reads, everything else goes on.
func TestRetentionHoldsUpNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, part := r.expiring()
	s.pace.heartbeat, s.pace.partitions, s.pace.compaction = time.Millisecond, time.Millisecond, time.Millisecond
	s.pace.call, s.pace.detaching = time.Hour, time.Hour
	end := r.read()
	defer end()
	r.maintains(s)
	detaching := func() bool {
		return ask[bool](r, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1
			AND wait_event_type = 'Lock' AND query LIKE '%CONCURRENTLY')`, s.options.Application)
	}
	testkit.Eventually(t, "the detaching waits for the reader", detaching)
	seen := func() time.Time {
		return ask[time.Time](r, "SELECT coalesce(max(seen_at), 'epoch') FROM @log_instances")
	}
	first := seen()
	testkit.Eventually(t, "the heart beats", func() bool { return seen().After(first) })
	for range 3 { // shares of one window that ended long ago
		r.exec(`INSERT INTO @log_analytics (timestamp, window_seconds, service, summary)
			VALUES (date_trunc('minute', now() - interval '10 minutes'), 60, 's', '{"total_logs":1}')`)
	}
	testkit.Eventually(t, "shares are folded", func() bool {
		return ask[int](r, "SELECT count(*) FROM @log_analytics WHERE NOT rolled") <= 1
	})
	if !detaching() {
		t.Error("the detaching has ended")
	}
	end()
	testkit.Eventually(t, "the partition goes", func() bool { return !r.exists(part) })
}

// Detaching is cut off when somebody reads for too long, and finished later.
func TestDetachingIsCutOff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, part := r.expiring()
	s.pace.detaching, s.pace.finishing = 100*time.Millisecond, 100*time.Millisecond
	end := r.read()
	defer end()
	expire := func() error {
		_, err := s.expire(t.Context())
		return err
	}
	pending := func() bool {
		return ask[bool](r, "SELECT bool_or(inhdetachpending) FROM pg_inherits WHERE inhrelid = $1::regclass", part)
	}
	testkit.Eventually(t, "detaching is cut off", func() bool {
		if err := expire(); !errors.Is(err, errCut) || Classify(err) != Retry {
			t.Fatalf("detaching beside a reader: %v", err)
		}
		return pending()
	})
	if err := expire(); !errors.Is(err, errCut) || !pending() {
		t.Errorf("finishing beside a reader: %v", err)
	}
	r.exec("SELECT @ensure_partition(now())") // nothing is locked in between
	end()
	testkit.Eventually(t, "it is finished", func() bool { return expire() == nil })
	if r.exists(part) || ask[int](r, "SELECT count(*) FROM @list_partitions()") != 1 {
		t.Error("the partition is still there")
	}
}
