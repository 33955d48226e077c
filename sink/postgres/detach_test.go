package postgres

import (
	"context"
	"slices"
	"testing"
	"time"

	"logflume/internal/testkit"
)

// expiring returns a sink with the owner's connection, and the name of a partition that it is to drop.
func (r *rig) expiring() (s *Sink, part string) {
	r.Helper()
	s = r.sink(func(o *Options) { o.MaintenanceURL, o.Retention = r.db.URL, 30*24*time.Hour })
	r.Cleanup(s.maintenance.close)
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
