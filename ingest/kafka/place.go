package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// keyOf returns the source_key of a partition.
func keyOf(clusterID string, p topicPartition) string {
	return fmt.Sprintf("kafka:%s/%s/%d", clusterID, p.topic, p.partition)
}

// place makes sure that all topics of the assignment have their position rows, trying again as long as ctx lasts.
func (g *generation) place(ctx context.Context) error {
	for {
		err := g.placeAll(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		g.options.Log.Warn("cannot find where to begin, trying again", "error", err)
		if wait(ctx, retryLayout, nil); ctx.Err() != nil {
			return ctx.Err()
		}
		now, err := g.look(ctx)
		switch {
		case err != nil:
		case changed(g.began, now):
			return errLayout
		default:
			g.began = now // with the leaders of today
		}
	}
}

func (g *generation) placeAll(ctx context.Context) error {
	for topic, assigned := range g.group.Assignments {
		if len(assigned) == 0 {
			continue
		}
		if err := g.placeTopic(ctx, topic); err != nil {
			return fmt.Errorf("find the positions of topic %s: %w", topic, err)
		}
	}
	return nil
}

// placeTopic makes rows for all partitions of a topic that is read for the first time, whoever has them assigned: where
// reading begins is decided once, for all at about the same moment. Partition 0 is the last to get its row, so its row
// tells that the topic has been placed. What gets none here was added later and begins at 0.
func (g *generation) placeTopic(ctx context.Context, name string) error {
	first := keyOf(g.began.clusterID, topicPartition{name, 0})
	row, err := find(ctx, g.in.Checkpoints, first)
	if err != nil || row.Key != "" {
		return err
	}
	topic := g.began.topics[name]
	if topic == nil {
		return nil // it has gone since, and so will this generation
	}
	which := earliest
	if g.options.StartAt == End {
		which = latest
	}
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(topic.partitions))) {
		p := topicPartition{name, id}
		start, err := g.cluster.offset(ctx, topic.partitions[id].leader, p, which)
		if err != nil {
			return err
		}
		n := notes{Topic: name, Partition: id, TopicID: topic.id.String(), Start: start}
		if _, err := g.in.Checkpoints.Create(ctx, keyOf(g.began.clusterID, p), n.encode()); err != nil {
			return err
		}
	}
	g.options.Log.Info("topic is read for the first time", "topic", name, "partitions", len(topic.partitions), "start_at", string(g.options.StartAt))
	return nil
}

func sortPartitions(list []*partition) {
	slices.SortFunc(list, func(a, b *partition) int {
		if c := strings.Compare(a.topic, b.topic); c != 0 {
			return c
		}
		return int(a.partition) - int(b.partition)
	})
}
