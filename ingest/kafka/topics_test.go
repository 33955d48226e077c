package kafka_test

import (
	"regexp"
	"testing"

	"logflume/ingest/kafka"
	"logflume/internal/testkit"
)

func (r *rig) deleteTopic() {
	r.Helper()
	if answers, err := r.admin.DeleteTopics(r.Context(), r.topic); err != nil || answers.Error() != nil {
		r.Fatal(err, answers.Error())
	}
	testkit.Eventually(r, "the topic is gone", func() bool {
		topics, err := r.admin.ListTopics(r.Context(), r.topic)
		return err == nil && !topics.Has(r.topic)
	})
	r.client.PurgeTopicsFromProducing(r.topic)
}

// setPartitions adds partitions until there are n.
func (r *rig) setPartitions(n int) {
	r.Helper()
	if answers, err := r.admin.UpdatePartitions(r.Context(), n, r.topic); err != nil || answers.Error() != nil {
		r.Fatal(err, answers.Error())
	}
	testkit.Eventually(r, "the partitions are there", func() bool {
		topics, err := r.admin.ListTopics(r.Context(), r.topic)
		return err == nil && len(topics[r.topic].Partitions) == n
	})
	r.client.PurgeTopicsFromProducing(r.topic) // or it would remember how many there were
}

func TestTopicMadeAnewIsReadFromItsBeginning(t *testing.T) {
	for name, running := range map[string]bool{"while running": true, "while stopped": false} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1)
			r.produce(0, numbered(1, 100)...)
			p := r.begin()
			r.wait(100)
			if !running {
				r.end(p)
			}
			r.deleteTopic()
			r.makeTopic(1)
			r.produce(0, numbered(101, 350)...) // longer than the old one: the position alone would not tell
			if !running {
				r.begin()
			}
			r.wait(350)
			if got, want := ask[string](r, "SELECT concat_ws(' ', position, epoch, meta->'former'->0->'position') FROM @log_positions"), "250 1 100"; got != want {
				t.Errorf("position row %q, want %q", got, want)
			}
		})
	}
}

func TestStartAtEndHoldsForTheFirstTimeOnly(t *testing.T) {
	r := newRig(t, 2)
	r.o.StartAt = kafka.End
	r.produce(0, numbered(1001, 1010)...)
	r.produce(1, numbered(1011, 1015)...)
	first := r.begin()
	testkit.Eventually(t, "the positions are at the ends", func() bool { return ask[int](r, "SELECT coalesce(sum(position), 0) FROM @log_positions") == 15 })
	r.produce(0, numbered(1, 5)...)
	r.wait(5)
	r.end(first)
	// A partition that is added while nothing runs is read from its beginning: its messages are new.
	r.setPartitions(3)
	r.produce(2, numbered(6, 10)...)
	r.produce(1, numbered(11, 12)...)
	r.begin()
	r.wait(12)
}

func TestNewPartitionsAndTopicsAreReadWhileRunning(t *testing.T) {
	r := newRig(t, 1)
	r.o.Topics, r.o.Pattern = nil, regexp.MustCompile("^"+r.topic+"(-.*)?$")
	r.produce(0, numbered(1, 10)...)
	r.begin()
	r.wait(10)
	r.setPartitions(2)
	r.produce(1, numbered(11, 20)...)
	r.wait(20)
	r.topic += "-more"
	r.makeTopic(1)
	r.produce(0, numbered(21, 30)...)
	r.wait(30)
}

func TestTopicThatComesLater(t *testing.T) {
	r := rigOn(t, testkit.Kafka(t))
	other := r.topic
	r.o.Topics = append(r.o.Topics, other+"-later")
	r.makeTopic(1)
	r.produce(0, numbered(1, 10)...)
	r.begin()
	r.wait(10)
	r.topic += "-later"
	r.makeTopic(2)
	r.produce(1, numbered(11, 20)...)
	r.wait(20)
}
