package testkit_test

import (
	"crypto/rand"
	"os/exec"
	"slices"
	"strings"
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

// kcat, from the same library in C as many clients, writes and reads.
func TestKcat(t *testing.T) {
	t.Parallel()
	kcat, brokers := testkit.Kcat(t), strings.Join(testkit.Kafka(t), ",")
	topic := "kcat-" + rand.Text()
	write := exec.CommandContext(t.Context(), kcat, "-P", "-b", brokers, "-t", topic)
	write.Stdin = strings.NewReader("one\ntwo\n")
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), kcat, "-C", "-b", brokers, "-t", topic, "-e", "-q").Output()
	if err != nil || string(out) != "one\ntwo\n" {
		t.Errorf("%q, %v", out, err)
	}
}
