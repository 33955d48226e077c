package testkit_test

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"logflume/internal/testkit"
)

func TestKafkaIsShared(t *testing.T) {
	t.Parallel()
	brokers := testkit.Kafka(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if again := testkit.Kafka(t); !slices.Equal(brokers, again) {
		t.Errorf("first %v, then %v", brokers, again)
	}
}

func TestKafkaElsewhere(t *testing.T) {
	t.Setenv(testkit.BrokersVariable, "192.0.2.1:9092,192.0.2.2:9092")
	if brokers := testkit.Kafka(t); !slices.Equal(brokers, []string{"192.0.2.1:9092", "192.0.2.2:9092"}) {
		t.Errorf("used %v", brokers)
	}
}
