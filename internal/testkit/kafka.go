package testkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"logflume/internal/privatekafka"
)

// BrokersVariable names the environment variable with the addresses, separated by commas, of a Kafka cluster to use for
// tests.
const BrokersVariable = "KAFKA_BROKERS"

// Kafka returns the addresses of a broker that all tests of the binary share; each makes topics of its own. Where none
// can be had the test is skipped, with a word on standard error, and fails when CI=true.
func Kafka(t testing.TB) []string {
	t.Helper()
	brokers, err := sharedBrokers()
	requireKafka(t, err)
	return brokers
}

func sharedBrokers() ([]string, error) {
	if brokers := os.Getenv(BrokersVariable); brokers != "" {
		return strings.Split(brokers, ","), nil
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.brokers == nil && shared.kafkaErr == nil {
		var cluster *privatekafka.Cluster
		// Not a test's context: the broker is for all of them.
		cluster, shared.kafkaErr = startKafka(context.Background(), privatekafka.Options{})
		if shared.kafkaErr == nil {
			shared.brokers = cluster.Brokers()
			cleanups = append(cleanups, cluster.Close)
		}
	}
	return shared.brokers, shared.kafkaErr
}

// startKafka starts a cluster, of jars fetched from the network if this machine has none.
func startKafka(ctx context.Context, o privatekafka.Options) (cluster *privatekafka.Cluster, err error) {
	if o.Installation.Java == "" {
		if o.Installation, err = privatekafka.Obtain(ctx, slog.Default()); err != nil {
			return nil, unavailableError{err}
		}
	}
	return privatekafka.Start(ctx, o)
}

// KafkaCluster starts a cluster for this test alone, whose nodes it may stop and start. It is removed when the test
// ends. Where none can be had it does what [Kafka] does.
func KafkaCluster(t testing.TB, o privatekafka.Options) *privatekafka.Cluster {
	t.Helper()
	cluster, err := startKafka(t.Context(), o)
	requireKafka(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("ends of the nodes' logs:\n%s", cluster.LogTail(20))
		}
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

// unavailableError says why this machine has no broker to run. One that is there and does not start is another error.
type unavailableError struct{ error }

// requireKafka ends a test whose broker could not be started.
func requireKafka(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if _, unavailable := errors.AsType[unavailableError](err); !unavailable || os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	fmt.Fprintf(os.Stderr, "NOT PROVEN: %s did not run, it needs a Kafka broker; to mend it: tools/setup.sh java\n", t.Name())
	t.Skip(err)
}
