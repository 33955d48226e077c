package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/findcoordinator"
)

// A Report is what [Check] found.
type Report struct {
	ClusterID          string
	Topics, Partitions int
	Missing            []string // topics that are named and do not exist
}

func (r Report) String() string {
	return fmt.Sprintf("%s with %s in cluster %s", plural(r.Topics, "topic"), plural(r.Partitions, "partition"), r.ClusterID)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Check looks whether a source with these options can read: connection, certificates, login, rights on topics and group.
// It joins no group and takes no message. The error says what is wrong and what to do.
func Check(ctx context.Context, o Options) (Report, error) {
	s, err := New(o)
	if err != nil {
		return Report{}, err
	}
	m := &member{Source: s, cluster: newCluster(&s.options)}
	defer m.cluster.close()
	l, err := m.look(ctx)
	if err != nil {
		return Report{}, err
	}
	r := Report{ClusterID: l.clusterID}
	for name, t := range l.topics {
		if len(t.partitions) == 0 {
			r.Missing = append(r.Missing, name)
			continue
		}
		r.Topics++
		r.Partitions += len(t.partitions)
	}
	slices.Sort(r.Missing)
	return r, m.checkRights(ctx, l)
}

// checkRights looks whether we may read the topics, by what a fetch at the end of one partition of each brings, and be a
// member of the group.
func (m *member) checkRights(ctx context.Context, l layout) error {
	for name, t := range l.topics {
		if first, ok := t.partitions[0]; ok && first.leader >= 0 {
			if err := m.checkTopic(ctx, t, first); err != nil {
				return m.options.remedy(fmt.Errorf("topic %s: %w", name, err))
			}
		}
	}
	if err := m.checkGroup(ctx); err != nil {
		return m.options.remedy(fmt.Errorf("group %s: %w", m.options.Group, err))
	}
	return nil
}

func (m *member) checkTopic(ctx context.Context, t *topicLayout, first leadership) error {
	p := topicPartition{t.name, 0}
	end, err := m.cluster.offset(ctx, first.leader, p, latest)
	if err != nil {
		return err
	}
	var found error
	err = m.cluster.fetch(ctx, &fetchRequest{broker: first.leader, maxBytes: 1, parts: []fetchPart{
		{topicPartition: p, topicID: t.id, epoch: first.epoch, offset: end, maxBytes: 1},
	}}, func(_ fetchPart, f fetched) {
		freeData(f.data)
		found = f.err
	})
	if err == nil && found != nil && Refused(found) { // else it moves at this moment
		err = found
	}
	return err
}

// heartbeatVersion is one that all brokers speak.
const heartbeatVersion = 1

// checkGroup looks whether we may be a member of the group, by a sign of life of a member that it does not have.
func (m *member) checkGroup(ctx context.Context) error {
	answer, err := m.cluster.transport.RoundTrip(ctx, m.cluster.address, &findcoordinator.Request{Key: m.options.Group})
	if err != nil {
		return fmt.Errorf("find its coordinator: %w", err)
	}
	found, ok := answer.(*findcoordinator.Response)
	if !ok {
		return errors.New("find its coordinator: this is no answer of a Kafka broker")
	}
	code := found.ErrorCode
	if code == 0 {
		err = m.cluster.ask(ctx, &exchange{
			key: protocol.Heartbeat, version: heartbeatVersion, broker: found.NodeID,
			encode: func(e *encoder) {
				e.string(m.options.Group)
				e.int32(0)
				e.string("")
			},
			decode: func(d *decoder) {
				d.int32() // throttle time
				code = d.int16()
			},
		})
	}
	// A new cluster makes what it needs for groups when the first member comes.
	if err == nil && code != 0 && Refused(kafka.Error(code)) {
		err = kafka.Error(code)
	}
	return err
}
