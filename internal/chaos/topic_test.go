package chaos_test

import (
	"testing"
	"time"

	"logflume/internal/chaos"
	"logflume/internal/privatekafka"
	"logflume/internal/testkit"
)

// topics is what the runs on topics have in common.
type topics struct {
	size    chaos.Size
	program string
	cluster *privatekafka.Cluster
}

// All runs share three brokers. The first ones kill one of them; the others begin after those.
func TestTopics(t *testing.T) {
	t.Parallel()
	settings := map[string]string{"min.insync.replicas": "2"}
	s := &topics{
		size: chaos.ChosenTopicSize(), program: testkit.Binary(t),
		cluster: testkit.KafkaCluster(t, privatekafka.Options{Nodes: 3, Settings: settings}),
	}
	t.Run("Kill", s.kill)
	if s.size.IsFull() {
		t.Run("KillWithDefaults", s.killWithDefaults)
		t.Run("Freeze", s.freeze)
		t.Run("Backlog", s.backlog)
		t.Run("Controls", s.controls)
	}
	t.Run("FreezeInTransaction", s.freezeInTransaction)
	t.Run("Transactions", s.transactions)
	t.Run("Terminate", s.terminate)
}

// rig prepares a run with at most so many lines a writer, whose group has this session time-out.
func (s *topics) rig(t *testing.T, lines int, session string) *chaos.TopicRig {
	t.Helper()
	t.Parallel()
	size := s.size
	size.Lines = min(size.Lines, lines)
	return chaos.NewRig(t, size, s.program).OnTopic(s.cluster, 12, session)
}

// Members that are killed and added, a broker that is killed, and a database that crashes.
func (s *topics) kill(t *testing.T) {
	r := chaos.NewCrashRig(t, s.size, s.program).OnTopic(s.cluster, 12, "1s")
	r.AddMembers(3)
	r.Kcat("kcat")
	r.Java("java")
	r.MemberLoop(time.Second)
	finishTopic(r)
}

func (s *topics) killWithDefaults(t *testing.T) {
	size := s.size
	size.Kills = 4
	r := chaos.NewCrashRig(t, size, s.program).OnTopic(s.cluster, 12, "")
	r.AddMembers(3)
	r.Kcat("kcat", "-z", "lz4")
	r.Java("java", "--compression-codec", "zstd")
	r.MemberLoop(20 * time.Second)
	finishTopic(r)
}

func (s *topics) freeze(t *testing.T) {
	r := s.rig(t, 50_000, "1s")
	r.AddMembers(3)
	r.FreezeLoop()
	finishTopic(r)
}

func (s *topics) freezeInTransaction(t *testing.T) {
	r := s.rig(t, 100_000, "1s")
	r.FreezeInTransaction()
	finishTopic(r)
}

func (s *topics) transactions(t *testing.T) {
	r := s.rig(t, 0, "500ms")
	r.AddMembers(3)
	r.Transactions()
	r.KillMembers(time.Second)
	endTopic(r)
	r.Require()
}

// With a session time-out of many minutes nobody would get the partitions of a member that does not leave.
func (s *topics) terminate(t *testing.T) {
	r := s.rig(t, 200_000, "25m")
	r.AddMembers(3)
	r.Kcat("kcat", "-z", "gzip")
	r.TerminateLoop()
	finishTopic(r)
}

// One process reads what has gathered in many partitions, then three do; Require bounds the memory of each.
func (s *topics) backlog(t *testing.T) {
	t.Parallel()
	size := s.size
	size.Rate = 0
	r := chaos.NewRig(t, size, s.program).OnTopic(s.cluster, 64, "1s")
	r.Kcat("plain")
	r.Kcat("packed", "-z", "zstd")
	r.WaitWriters()
	r.AddMembers(1)
	r.StoreShare(2)
	r.AddMembers(2)
	finishTopic(r)
}

func (s *topics) controls(t *testing.T) {
	for tag, caught := range controls {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			program := testkit.Binary(t, tag)
			requireCaught(t, s.size, caught, func(t *testing.T, size chaos.Size) chaos.Verdict {
				return s.faultyRun(t, size, program)
			})
		})
	}
}

// faultyRun kills the program while it reads what was written before, when it commits without pause, and returns the
// verdict.
func (s *topics) faultyRun(t *testing.T, size chaos.Size, program string) chaos.Verdict {
	size.Lines, size.Rate = 20_000, 0
	r := chaos.NewRig(t, size, program).OnTopic(s.cluster, 12, "500ms")
	r.Configure("flush: {interval: 20ms, rows: 500}")
	r.Kcat("kcat")
	r.WaitWriters()
	i := r.KillWhileBehind(r.Start())
	r.Rig.Settle() // a wrong program's positions may never be the ends
	i.Terminate()
	return r.Judge()
}

// endTopic lets the members read the rest and ends them.
func endTopic(r *chaos.TopicRig) {
	r.WaitWriters()
	r.Settle()
	r.EndMembers()
}

// finishTopic does what endTopic does, runs the program once more, and judges.
func finishTopic(r *chaos.TopicRig) {
	endTopic(r)
	r.Again()
	r.Require()
}
