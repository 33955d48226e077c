package kafka_test

import (
	"testing"
	"time"

	segmentio "github.com/segmentio/kafka-go"

	"logflume/internal/testkit"
)

// joinSlowly adds a member to the group that learns of what happens there once in so long only, and until then the group
// waits for it.
func (r *rig) joinSlowly() {
	r.Helper()
	slow, err := segmentio.NewConsumerGroup(segmentio.ConsumerGroupConfig{
		ID: r.o.Group, Brokers: r.brokers, Topics: []string{r.topic}, GroupBalancers: []segmentio.GroupBalancer{segmentio.RangeGroupBalancer{}},
		HeartbeatInterval: 10 * time.Second, SessionTimeout: r.o.Session,
	})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { slow.Close() })
	if _, err := slow.Next(r.Context()); err != nil {
		r.Fatal(err)
	}
	testkit.Eventually(r, "the group has two members", func() bool { return r.groupMembers() == 2 })
}

// requireMembers fails the test unless the group has so many members, stable or not.
func (r *rig) requireMembers(n int) {
	r.Helper()
	groups, err := r.admin.DescribeGroups(r.Context(), r.o.Group)
	if err != nil {
		r.Fatal(err)
	}
	if now := len(groups[r.o.Group].Members); now != n {
		r.Errorf("the group has %d members, want %d", now, n)
	}
}

// A member that stops has left the group when it ends, whatever the others do: nobody waits for its session to expire.
func TestLeavesTheGroup(t *testing.T) {
	r := newRig(t, 4)
	r.o.Session = 30 * time.Second
	ours := r.begin()
	testkit.Eventually(t, "we are alone in the group", func() bool { return r.groupMembers() == 1 })
	r.joinSlowly()
	r.end(ours)
	r.requireMembers(1)
}

func TestLeavesTheGroupWhileItIsDivided(t *testing.T) {
	r := newRig(t, 4)
	r.o.Session = 30 * time.Second
	ours := r.begin()
	testkit.Eventually(t, "we are alone in the group", func() bool { return r.groupMembers() == 1 })
	r.joinSlowly()
	testkit.Eventually(t, "we have our half of the partitions", func() bool { return ours.stats.Partitions.Load() == 2 })
	r.begin()
	testkit.Eventually(t, "we have given up our partitions", func() bool { return ours.stats.Partitions.Load() == 0 })
	r.end(ours)
	r.requireMembers(2)
}

// A long session is for members that cannot be reached for long. What happens in the group they learn as soon as others.
func TestLongSessionsDelayNoDivision(t *testing.T) {
	r := newRig(t, 4)
	r.o.Session = 25 * time.Minute
	first := r.begin()
	testkit.Eventually(t, "one member has all partitions", func() bool { return first.stats.Partitions.Load() == 4 })
	second := r.begin()
	testkit.Eventually(t, "two members have half of them each", func() bool {
		return first.stats.Partitions.Load() == 2 && second.stats.Partitions.Load() == 2
	})
}
