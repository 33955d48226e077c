package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"logflume/pipeline"
)

// A Source reads topics as a member of a consumer group.
type Source struct {
	options Options
	trouble troubles
}

// New returns a source, or an error that names the option that is wrong.
func New(o Options) (*Source, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	return &Source{options: o}, nil
}

// Health returns what keeps the source from reading, or nil.
func (s *Source) Health() error { return s.trouble.first() }

const (
	retryLayout     = 500 * time.Millisecond // before asking again for topics; doubled up to
	retryLayoutMost = 5 * time.Second
	retryJoin       = 250 * time.Millisecond // before joining again after an error

	// How long members may take to come back after the group asked for it. Dead ones are found by the session's time-out.
	rebalanceTimeout = 30 * time.Second

	// Members learn by the answer to a heartbeat that the group divides the partitions anew. One that learns it later than
	// within rebalanceTimeout is thrown out, and goes on reading what others have.
	mostHeartbeat = 3 * time.Second

	groupTimeout = 5 * time.Second // for an answer of the group's coordinator
	leaveTimeout = 3 * time.Second // to leave the group
)

// A member is a source that runs.
type member struct {
	*Source
	in        *pipeline.Intake
	cluster   *cluster
	unpackers chan *unpacker
	bored     bool // there was no topic when last looked, which was logged
}

// Run reads until ctx ends, and then leaves the group. It returns an error when the brokers refuse us at the start: a
// wrong login or certificate, or missing rights. Met later, that is logged and tried again.
func (s *Source) Run(ctx context.Context, in *pipeline.Intake) error {
	m := &member{Source: s, in: in, cluster: newCluster(&s.options), unpackers: newUnpackers()}
	defer m.cluster.close()
	for met := false; ctx.Err() == nil; met = true {
		l, err := m.awaitLayout(ctx, met)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return s.refusal(err)
		}
		if !met {
			if err := m.checkRights(ctx, l); Refused(err) {
				return s.refusal(err)
			}
		}
		// Joining would take partitions from those who can store what is in them.
		if _, err := in.Checkpoints.List(ctx, keyOf(l.clusterID, topicPartition{}), false); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("list the positions of %s: %w", l.clusterID, err)
		}
		if err := m.join(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// refusal says whose brokers refuse us.
func (s *Source) refusal(err error) error {
	return fmt.Errorf("kafka %s: %w", strings.Join(s.options.Brokers, ", "), err)
}

// awaitLayout asks for the topics until there is an answer.
func (m *member) awaitLayout(ctx context.Context, met bool) (layout, error) {
	for pause := retryLayout; ; pause = min(2*pause, retryLayoutMost) {
		l, err := m.look(ctx)
		if err == nil || ctx.Err() != nil || !met && Refused(err) {
			m.tell(brokers, err)
			return l, err
		}
		m.tell(brokers, err)
		if wait(ctx, pause, nil); ctx.Err() != nil {
			return l, ctx.Err()
		}
	}
}

// tell notes that what is in trouble, or no longer is, and logs it when that is news.
func (s *Source) tell(what string, err error) {
	switch news := s.trouble.set(what, err); {
	case !news:
	case err == nil:
		s.options.Log.Info("Kafka answers again", "part", what, "group", s.options.Group)
	default:
		level := slog.LevelWarn
		if settling(err) {
			level = slog.LevelInfo
		}
		s.options.Log.Log(context.Background(), level, "Kafka does not answer as it should, trying again", "part", what,
			"group", s.options.Group, "brokers", s.options.Brokers, "error", err)
	}
}

// look asks for the topics that are to be read: those that are named, also while they do not exist, and those that match.
func (m *member) look(ctx context.Context) (layout, error) {
	o := &m.options
	names := o.Topics
	if o.Pattern != nil {
		names = nil
	}
	all, err := m.cluster.metadata(ctx, names)
	if err != nil {
		return all, o.remedy(err)
	}
	l := layout{clusterID: all.clusterID, topics: map[string]*topicLayout{}}
	for _, name := range o.Topics {
		l.topics[name] = &topicLayout{name: name}
	}
	for name, t := range all.topics {
		if slices.Contains(o.Topics, name) || o.Pattern != nil && !t.internal && o.Pattern.MatchString(name) {
			l.topics[name] = t
		}
		if t.err != nil && Refused(t.err) {
			return l, o.remedy(fmt.Errorf("topic %s: %w", name, t.err))
		}
	}
	return l, nil
}

// join is a member of the group, for these topics, until they are others or ctx ends.
func (m *member) join(ctx context.Context, l layout) error {
	o := &m.options
	topics := l.existing() // to ask for others would make some brokers make them
	if len(topics) == 0 {
		if !m.bored {
			m.bored = true
			o.Log.Warn("no topic to read exists yet, waiting for one", "topics", o.Topics, "pattern", o.Pattern)
		}
		wait(ctx, layoutInterval, nil)
		return nil
	}
	m.bored = false
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: o.Group, Brokers: o.Brokers, Topics: topics,
		Dialer: &kafka.Dialer{
			ClientID: clientID, Timeout: dialTimeout, SASLMechanism: o.SASL, DialFunc: m.cluster.dialer.DialContext,
		},
		GroupBalancers:    []kafka.GroupBalancer{spread{}, kafka.RoundRobinGroupBalancer{}, kafka.RangeGroupBalancer{}},
		HeartbeatInterval: min(o.Session/4, mostHeartbeat), SessionTimeout: o.Session, RebalanceTimeout: rebalanceTimeout,
		JoinGroupBackoff: retryJoin, Timeout: groupTimeout,
	})
	if err != nil {
		return fmt.Errorf("consumer group: %w", err)
	}
	memberID := ""
	defer func() { m.leave(group, memberID) }()
	for {
		generation, err := group.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if divided(err) {
			continue
		}
		err = o.remedy(err)
		if m.tell(coordinator, err); err != nil {
			continue
		}
		memberID = generation.MemberID
		switch err := m.generation(ctx, generation, l); {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errStalled):
			o.Log.Error("leaving the consumer group: lines that were read could not be committed", "group", o.Group, "for", o.Progress.String())
			return nil
		case err != nil: // errLayout
			o.Log.Info("joining the consumer group anew", "group", o.Group, "because", err)
			return nil
		}
	}
}

// generation runs one generation and returns why we ended it, nil if we did not.
func (m *member) generation(ctx context.Context, group *kafka.Generation, l layout) error {
	ended := make(chan error, 1)
	group.Start(func(over context.Context) {
		both, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(over, stop)()
		m.in.Stats.Generations.Add(1)
		g := newGeneration(m, group, l)
		m.options.Log.Info("joined the consumer group", "group", group.GroupID, "generation", group.ID, "partitions", len(g.parts))
		err := g.run(both)
		if both.Err() != nil { // whatever failed then failed of that
			err = nil
		}
		ended <- err
	})
	return <-ended
}

// leave leaves the group that knew us as memberID. We say so ourselves: the library may be joining again, which takes
// until all others do, and while it waits for that it neither leaves nor remembers who it was. Where an answer takes long,
// all is made to give up.
func (m *member) leave(group *kafka.ConsumerGroup, memberID string) {
	timer := time.AfterFunc(leaveTimeout, m.cluster.dialer.interrupt)
	defer timer.Stop()
	if memberID != "" {
		ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
		defer cancel()
		client := kafka.Client{Addr: m.cluster.address, Transport: m.cluster.transport}
		_, err := client.LeaveGroup(ctx, &kafka.LeaveGroupRequest{
			GroupID: m.options.Group, Members: []kafka.LeaveGroupRequestMember{{ID: memberID}},
		})
		if err != nil {
			m.options.Log.Debug("the group did not take our leave", "group", m.options.Group, "error", err)
		}
	}
	group.Close() // always nil
}
