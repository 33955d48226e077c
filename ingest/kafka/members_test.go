package kafka_test

import (
	"fmt"
	"testing"

	"logflume/internal/testkit"
)

// groupMembers returns how many members the group has once it is stable, 0 until then.
func (r *rig) groupMembers() int {
	groups, err := r.admin.DescribeGroups(r.Context(), r.o.Group)
	if err != nil || groups[r.o.Group].State != "Stable" {
		return 0
	}
	return len(groups[r.o.Group].Members)
}

func TestMembersShareThePartitions(t *testing.T) {
	r := newRig(t, 6)
	total := 0
	produce := func() {
		for p := range 6 {
			r.produce(p, numbered(total+1, total+200)...)
			total += 200
		}
	}
	produce()
	r.begin()
	r.begin()
	third := r.begin()
	testkit.Eventually(t, "three members have two partitions each", func() bool {
		for _, m := range r.members {
			if m.stats.Partitions.Load() != 2 {
				return false
			}
		}
		return r.groupMembers() == 3
	})
	produce()
	r.wait(total)
	produce()
	r.end(third)
	produce()
	testkit.Eventually(t, "two members have three each", func() bool {
		return r.members[0].stats.Partitions.Load() == 3 && r.members[1].stats.Partitions.Load() == 3
	})
	r.wait(total)
}

func TestLockedPartitionHoldsUpNoOther(t *testing.T) {
	r := newRig(t, 2)
	r.produce(0, numbered(1, 10)...)
	r.produce(1, numbered(11, 20)...)
	p := r.begin()
	r.wait(20)
	lock := r.db.Connect(t)
	if _, err := lock.Exec(t.Context(), fmt.Sprintf("BEGIN; SELECT FROM %s.log_positions WHERE source_key LIKE '%%/0' FOR UPDATE", r.db.Schema)); err != nil {
		t.Fatal(err)
	}
	// Far more than the memory of a stream, so that it is really held up.
	for range 10 {
		r.produce(0, padded(1000, 10_000)...)
	}
	r.produce(1, numbered(21, 40)...)
	testkit.Eventually(t, "the other partition goes on", func() bool { return r.events() == 40 })
	if n := p.stats.Generations.Load(); n != 1 || r.groupMembers() != 1 {
		t.Errorf("%d generations, %d members: a blocked partition shall not cost the membership", n, r.groupMembers())
	}
	if _, err := lock.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the locked one goes on", func() bool { return r.events() == 10_040 })
}

// padded returns n lines of about so many bytes.
func padded(n, size int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"msg":"%0*d"}`, size, i)
	}
	return lines
}
