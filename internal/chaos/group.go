package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	"logflume/internal/privatepg"
	"logflume/internal/testkit"
)

// AddMembers starts further instances.
func (r *TopicRig) AddMembers(n int) {
	r.t.Helper()
	for range n {
		r.members = append(r.members, r.Start())
	}
}

// take removes any member from the list and returns it.
func (r *TopicRig) take() *Instance {
	i := r.random.IntN(len(r.members))
	taken := r.members[i]
	r.members = append(r.members[:i], r.members[i+1:]...)
	return taken
}

// group returns how many members the group has and how many partitions they have; 0 while it divides them.
func (r *TopicRig) group(ctx context.Context) (members, partitions int) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	described, err := r.admin.DescribeGroups(ctx, r.name)
	if err != nil {
		return 0, 0
	}
	g := described[r.name]
	if g.State != "Stable" {
		return len(g.Members), 0
	}
	for _, m := range g.Members {
		if assigned, ok := m.Assigned.AsConsumer(); ok {
			for _, t := range assigned.Topics {
				partitions += len(t.Partitions)
			}
		}
	}
	return len(g.Members), partitions
}

// AwaitGroup waits until the group has so many members and they have all partitions.
func (r *TopicRig) AwaitGroup(members int) {
	r.t.Helper()
	testkit.Eventually(r.t, fmt.Sprintf("the group has %d members and they have all %d partitions", members, r.Partitions), func() bool {
		now, partitions := r.group(r.t.Context())
		return now == members && partitions == r.Partitions
	})
}

// MemberLoop kills a member and adds one, or the other way round, about once every so often, as long as the writers write
// and as many times as the size demands. On the way the database crashes twice, and a broker is killed and comes back.
func (r *TopicRig) MemberLoop(every time.Duration) {
	r.t.Helper()
	least := r.Size.Kills
	broker, back := r.random.IntN(len(r.cluster.Brokers())), make(chan error, 1)
	for kills := 0; kills < least || r.writing(); kills++ {
		switch kills {
		case least / 4, 3 * least / 4:
			r.StopServer(privatepg.Immediate)
			r.Pause(r.upTo(time.Second))
			r.StartServer()
		case least / 2:
			r.brokerKills++
			go func() {
				back <- errors.Join(r.cluster.KillNode(broker), r.cluster.StartNode(r.t.Context(), broker))
			}()
		}
		r.exchange(every)
		if kills%3 != 0 {
			r.awaitMore()
		}
	}
	if err := <-back; err != nil {
		r.t.Fatal(err)
	}
}

// KillMembers kills a member and adds one, or the other way round, again and again while the writers write.
func (r *TopicRig) KillMembers(every time.Duration) {
	r.t.Helper()
	for kills := 0; kills < r.Size.Kills || r.writing(); kills++ {
		r.awaitMore()
		r.exchange(every)
	}
}

// awaitMore waits until more is stored, if there is more to come. On a slow machine it takes long to join a group.
func (r *TopicRig) awaitMore() {
	r.t.Helper()
	if r.stored < r.expected() {
		r.Progress(30 * time.Second)
	}
}

// exchange kills a member and adds one, or the other way round, at two random times.
func (r *TopicRig) exchange(every time.Duration) {
	r.t.Helper()
	r.Pause(r.upTo(every))
	leaving := r.take()
	if r.random.IntN(2) == 0 {
		r.AddMembers(1)
		r.Pause(r.upTo(every))
		r.killOnly(leaving)
	} else {
		r.killOnly(leaving)
		r.Pause(r.upTo(every))
		r.AddMembers(1)
	}
}

// TerminateLoop ends a member with SIGTERM, expecting exit code 0, sees that the group divides its partitions, and adds
// one, as long as the writers write and as many times as the size demands.
func (r *TopicRig) TerminateLoop() {
	r.t.Helper()
	all := len(r.members)
	for restarts := 0; restarts < r.Size.Restarts || r.writing(); restarts++ {
		r.AwaitGroup(all)
		r.Progress(5 * time.Second)
		r.Pause(r.upTo(400 * time.Millisecond))
		r.take().Terminate()
		r.restarts++
		r.AwaitGroup(all - 1)
		r.AddMembers(1)
	}
}

// EndMembers ends all members with SIGTERM.
func (r *TopicRig) EndMembers() {
	r.t.Helper()
	for len(r.members) > 0 {
		r.take().Terminate()
	}
}

var generation = regexp.MustCompile(`"generation":([0-9]+)`)

// generations returns the number of the last generation that any member saw.
func (r *TopicRig) generations() (last int) {
	for n := range r.starts {
		log, _ := os.ReadFile(r.logPath(n + 1)) // one that never logged was in none
		for _, found := range generation.FindAllSubmatch(log, -1) {
			number, _ := strconv.Atoi(string(found[1]))
			last = max(last, number)
		}
	}
	return last
}
