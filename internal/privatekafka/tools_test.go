package privatekafka_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"logflume/internal/privatekafka"
)

// Aborted records are on the broker, and a reader that asks for committed ones alone does not get them.
func TestTransactions(t *testing.T) {
	t.Parallel()
	c := start(t, privatekafka.Options{})
	const transactions, records = 5, 3
	cmd, err := c.Transactions(t.Context(), "lines", transactions, records)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var all, committed []string
	for i := range transactions {
		for r := range records {
			fate := "committed"
			if i%2 == 1 {
				fate = "aborted"
			}
			value := fmt.Sprintf("%s %d %d", fate, i, r)
			if all = append(all, value); fate == "committed" {
				committed = append(committed, value)
			}
		}
	}
	brokers := kgo.SeedBrokers(c.Brokers()...)
	if got := consume(t, len(all), brokers); !slices.Equal(got, all) {
		t.Errorf("uncommitted: %q", got)
	}
	got := consume(t, len(committed), brokers, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if !slices.Equal(got, committed) {
		t.Errorf("committed: %q", got)
	}
}

// The command-line tools that come with the jars run, and print results alone.
func TestTools(t *testing.T) {
	t.Parallel()
	c := start(t, privatekafka.Options{})
	brokers := strings.Join(c.Brokers(), ",")
	tool(t, c, "", "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", brokers,
		"--create", "--topic", "lines", "--partitions", "2")
	produce(t, c, "a", "b", "c")
	out := tool(t, c, "", "org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", brokers, "--topic", "lines")
	if lines := strings.Fields(out); len(lines) != 2 || !strings.HasPrefix(lines[0], "lines:0:") {
		t.Errorf("offsets: %q", out)
	}
	out = tool(t, c, "", "org.apache.kafka.tools.ConsumerPerformance", "--bootstrap-server", brokers,
		"--topic", "lines", "--num-records", "3", "--timeout", "60000", "--group", "measured")
	// Two lines: names, and figures of which the fifth is the number of records.
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 2 || !strings.Contains(lines[1], ", 3, ") {
		t.Errorf("performance: %q", out)
	}
}
