package kafka_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logflume/internal/testkit"
)

func TestLeavesTheGroupWhenNothingCanBeCommitted(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, numbered(1, 10)...)
	r.begin()
	r.wait(10)
	r.end(r.members[0])
	lock := r.db.Connect(t)
	if _, err := lock.Exec(t.Context(), fmt.Sprintf("BEGIN; SELECT FROM %s.log_positions FOR UPDATE", r.db.Schema)); err != nil {
		t.Fatal(err)
	}
	r.o.Progress = 2 * time.Second
	p := r.begin()
	r.produce(0, numbered(11, 20)...)
	testkit.Eventually(t, "it says that it leaves", func() bool { return strings.Contains(r.log.String(), "leaving the consumer group") })
	testkit.Eventually(t, "it has come back", func() bool { return p.stats.Generations.Load() > 1 })
	if _, err := lock.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	r.wait(20)
}
