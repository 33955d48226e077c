package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"logflume/internal/privatekafka"
)

// A topicInput is the demo's input from a topic of a private Kafka broker, to which all services write.
type topicInput struct {
	cluster *privatekafka.Cluster
	writer  *kafka.Writer
}

const (
	demoTopic      = "logs"
	demoPartitions = 4
)

// newTopicInput starts a broker and makes the topic.
func newTopicInput(ctx context.Context, log *slog.Logger) (*topicInput, error) {
	installation, err := privatekafka.Obtain(ctx, log)
	if err != nil {
		return nil, err
	}
	cluster, err := privatekafka.Start(ctx, privatekafka.Options{Installation: installation})
	if err != nil {
		return nil, fmt.Errorf("start a private Kafka broker: %w", err)
	}
	i := &topicInput{cluster: cluster, writer: &kafka.Writer{
		Addr: kafka.TCP(cluster.Brokers()...), Topic: demoTopic, Balancer: &kafka.RoundRobin{}, Compression: kafka.Lz4,
		RequiredAcks: kafka.RequireAll, BatchTimeout: 5 * time.Millisecond,
		MaxAttempts: 1, // a second one might write twice, and the account would not hold
	}}
	client := &kafka.Client{Addr: i.writer.Addr}
	made, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: demoTopic, NumPartitions: demoPartitions, ReplicationFactor: 1},
	}})
	if err == nil {
		err = made.Errors[demoTopic]
	}
	if err == nil {
		err = awaitLeaders(ctx, client)
	}
	if err != nil {
		return nil, fmt.Errorf("make topic %s: %w", demoTopic, errors.Join(err, i.close()))
	}
	return i, nil
}

// awaitLeaders waits until the broker, which was told to lead the partitions, does so, and would take messages.
func awaitLeaders(ctx context.Context, client *kafka.Client) error {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	var ends []kafka.OffsetRequest
	for p := range demoPartitions {
		ends = append(ends, kafka.LastOffsetOf(p))
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		found, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{demoTopic: ends}})
		if err == nil {
			for _, p := range found.Topics[demoTopic] {
				err = errors.Join(err, p.Error)
			}
		}
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for leaders of its partitions: %w", err)
		}
	}
}

func (i *topicInput) source() string {
	return fmt.Sprintf(`kafka: {brokers: ["%s"], topics: [%s], group: logflume-demo, attrs: true}`,
		strings.Join(i.cluster.Brokers(), `", "`), demoTopic)
}

func (i *topicInput) outlet(service string) (outlet, error) {
	return &topicOutlet{writer: i.writer, key: []byte(service), random: rand.New(rand.NewPCG(uint64(len(service)), 1))}, nil
}

func (i *topicInput) progress() string {
	return fmt.Sprintf("topic %s with %d partitions at %s", demoTopic, demoPartitions, strings.Join(i.cluster.Brokers(), ","))
}

// ledger asks for the account of each partition, and of all.
func (i *topicInput) ledger() (heads, query string) {
	return "LEDGER\tlines\tkept\tfiltered\tdead\toffset", `
		SELECT coalesce('partition ' || (meta ->> 'partition'), 'all'), coalesce(sum(lines), 0)::text,
		       coalesce(sum(kept), 0)::text, coalesce(sum(filtered), 0)::text, coalesce(sum(dead), 0)::text,
		       coalesce(sum(position), 0)::text
		FROM logs.log_positions GROUP BY ROLLUP (meta ->> 'partition') ORDER BY meta ->> 'partition' NULLS LAST`
}

func (i *topicInput) close() error { return errors.Join(i.writer.Close(), i.cluster.Close()) }

// A topicOutlet writes what one service logs as messages with the service as key, so that they keep their order.
type topicOutlet struct {
	writer *kafka.Writer
	key    []byte
	random *rand.Rand
}

// traced is how many messages there are for one that has a trace in a header.
const traced = 3

func (o *topicOutlet) write(lines []byte) error {
	var messages []kafka.Message
	for line := range bytes.Lines(lines) {
		m := kafka.Message{Key: o.key, Value: bytes.TrimSuffix(line, []byte("\n"))}
		if len(messages)%traced == 0 {
			parent := fmt.Sprintf("00-%016x%016x-%016x-01", o.random.Uint64(), o.random.Uint64(), o.random.Uint64())
			m.Headers = []kafka.Header{{Key: "traceparent", Value: []byte(parent)}}
		}
		messages = append(messages, m)
	}
	err := o.writer.WriteMessages(context.Background(), messages...)
	var each kafka.WriteErrors // one for each message, mostly the same
	if errors.As(err, &each) {
		for _, err := range each {
			if err != nil {
				return fmt.Errorf("%d of %d messages: %w", each.Count(), len(messages), err)
			}
		}
	}
	return err
}

func (o *topicOutlet) close() error { return nil } // the writer is everybody's
