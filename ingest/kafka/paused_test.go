package kafka_test

import (
	"fmt"
	"testing"

	"logflume/internal/testkit"
)

// A partition full of what is no event is paused at the limit, its member stays, another partition goes on, and when
// the dead letters are gone it is read to its end.
func TestFloodOfDeadLettersPausesItsPartition(t *testing.T) {
	r := newRig(t, 2)
	r.deadBytes = 10_000
	const bad = 400
	lines := make([]string, bad)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"broken":%090d`, i)
	}
	for range 20 {
		r.produce(0, lines...)
	}
	p := r.begin()
	testkit.Eventually(t, "the partition is paused", func() bool { return p.stats.Paused.Load() == 1 })
	r.produce(1, numbered(1, 100)...)
	testkit.Eventually(t, "the other one goes on", func() bool { return r.events() == 100 })
	if n := p.stats.Generations.Load(); n != 1 {
		t.Errorf("%d generations", n)
	}
	total := 0
	testkit.Eventually(t, "all is read when letters are purged", func() bool {
		tag, err := r.conn.Exec(t.Context(), "DELETE FROM "+r.db.Schema+".log_dead_letters")
		if err != nil {
			t.Fatal(err)
		}
		total += int(tag.RowsAffected())
		return total == 20*bad
	})
	if got := ask[string](r, "SELECT concat_ws(' ', position, lines, dead) FROM @log_positions WHERE source_key LIKE '%/0'"); got != "8000 8000 8000" {
		t.Errorf("ledger %s", got)
	}
}
