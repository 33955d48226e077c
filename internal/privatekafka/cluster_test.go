package privatekafka_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"logflume/internal/privatekafka"
	"logflume/internal/testkit"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

func start(t *testing.T, o privatekafka.Options) *privatekafka.Cluster {
	t.Helper()
	var c *privatekafka.Cluster
	t.Cleanup(func() {
		if c == nil {
			return
		}
		if _, err := os.Stat(c.Dir()); err == nil {
			t.Errorf("%s was left", c.Dir())
		}
	})
	c = testkit.KafkaCluster(t, o)
	return c
}

// tool runs a Java program and returns what it printed.
func tool(t *testing.T, c *privatekafka.Cluster, input, program string, args ...string) string {
	t.Helper()
	cmd := c.Installation.Tool(t.Context(), program, args...)
	cmd.Stdin = strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", program, err, &stdout, &stderr)
	}
	return stdout.String()
}

// produce writes lines to topic "lines" with Kafka's own console producer.
func produce(t *testing.T, c *privatekafka.Cluster, lines ...string) {
	t.Helper()
	tool(t, c, strings.Join(lines, "\n")+"\n", "org.apache.kafka.tools.ConsoleProducer",
		"--bootstrap-server", strings.Join(c.Brokers(), ","), "--topic", "lines")
}

// consume returns the first n values of topic "lines".
func consume(t *testing.T, n int, options ...kgo.Opt) (values []string) {
	t.Helper()
	client, err := kgo.NewClient(append(options,
		kgo.ConsumeTopics("lines"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for len(values) < n {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err0(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

func expect(t *testing.T, got []string, want string) {
	t.Helper()
	if strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What a producer wrote is there after every end of the node, at the same address.
func TestStopAndStart(t *testing.T) {
	t.Parallel()
	c := start(t, privatekafka.Options{})
	brokers := kgo.SeedBrokers(c.Brokers()...)
	produce(t, c, "one", "two")
	expect(t, consume(t, 2, brokers), "one two")
	for _, stop := range []func(int) error{c.KillNode, c.StopNode} {
		for range 2 { // the second finds nothing to do
			if err := stop(0); err != nil {
				t.Fatal(err)
			}
		}
		if c.PID(0) != 0 {
			t.Errorf("node still runs: %d", c.PID(0))
		}
		for range 2 {
			if err := c.StartNode(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, consume(t, 2, brokers), "one two")
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	t.Run("setting", func(t *testing.T) {
		t.Parallel()
		installation := testkit.KafkaInstallation(t)
		_, err := privatekafka.Start(t.Context(), privatekafka.Options{Installation: installation, Settings: map[string]string{
			"num.io.threads": "many",
		}})
		if err == nil || !strings.Contains(err.Error(), "num.io.threads") {
			t.Errorf("the error does not say why: %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		installation := testkit.KafkaInstallation(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if c, err := privatekafka.Start(ctx, privatekafka.Options{Installation: installation}); err == nil {
			c.Close()
			t.Error("started although the context had ended")
		}
	})
}
