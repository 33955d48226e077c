package postgres

import (
	"fmt"
	"testing"

	"logflume/internal/testkit"
	"logflume/pipeline"
)

func TestPartitionsAreMade(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	f := &feed{key: "a", lines: 600, batch: 50, line: func(n int64) string {
		return fmt.Sprintf("%d;t=%d", n, -(n%30)*20)
	}}
	if err := r.run(t.Context(), s, f); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(f)
	full := pipeline.NewCalendar(0, s.pace.now) // it admits no past day but those of partitions
	s.partitions.calendar = full
	if err := s.partitions.load(t.Context(), s.maintenance); err != nil {
		t.Fatal(err)
	}
	s.maintenance.close()
	for n := range int32(30) {
		if day := pipeline.Day(today) - n*20; !full.Admit(day) {
			t.Errorf("the calendar does not know the partition of day %d", day)
		}
	}
}

// Partitions are dropped under a writer that believes they exist.
func TestPartitionDroppedUnderTheWriter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	more := newGate(t)
	f := half(more)
	_, wait := r.start(t.Context(), s, f)
	testkit.Eventually(t, "the first half is stored", func() bool { return r.stored("a") == 500 })
	part := ask[string](r, "SELECT name FROM @list_partitions()")
	r.exec("CREATE TABLE @saved AS SELECT * FROM @log_events")
	r.exec("DROP TABLE @" + part)
	more.lift()
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	r.exec("INSERT INTO @log_events SELECT * FROM @saved")
	r.exactlyOnce(f)
}

// Days for which the database makes no partition are refused row by row.
func TestImpossibleDayIsADeadLetter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	f := &feed{key: "a", lines: 500, batch: 50, line: func(n int64) string {
		switch n {
		case 100:
			return "100;t=400"
		case 101:
			return "101;t=-20000"
		}
		return number(n)
	}}
	if err := r.run(t.Context(), s, f); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(f)
	letters := r.letters()
	if len(letters) != 2 || letters[0].Offset != 100 || letters[1].Offset != 101 || letters[0].SQLState != "23514" {
		t.Errorf("%+v", letters)
	}
}
