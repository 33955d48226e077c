package testkit

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"logflume/internal/privatekafka"
)

// BrokersVariable names the environment variable with the addresses, separated by commas, of a Kafka cluster to use for
// tests.
const BrokersVariable = "KAFKA_BROKERS"

// Kafka returns the addresses of a broker that all tests of the binary share; each makes topics of its own. Where none
// can be had it does what [KafkaInstallation] does.
func Kafka(t testing.TB) []string {
	t.Helper()
	if brokers := os.Getenv(BrokersVariable); brokers != "" {
		return strings.Split(brokers, ",")
	}
	installation := KafkaInstallation(t)
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.brokers == nil && shared.kafkaErr == nil {
		var cluster *privatekafka.Cluster
		// Not a test's context: the broker is for all of them.
		cluster, shared.kafkaErr = privatekafka.Start(context.Background(), privatekafka.Options{Installation: installation})
		if shared.kafkaErr == nil {
			shared.brokers = cluster.Brokers()
			cleanups = append(cleanups, cluster.Close)
		}
	}
	if shared.kafkaErr != nil {
		t.Fatal(shared.kafkaErr)
	}
	return shared.brokers
}

// KafkaCluster starts a cluster for this test alone, whose nodes it may stop and start. It is removed when the test
// ends. Where none can be had it does what [KafkaInstallation] does.
func KafkaCluster(t testing.TB, o privatekafka.Options) *privatekafka.Cluster {
	t.Helper()
	if o.Installation.Java == "" {
		o.Installation = KafkaInstallation(t)
	}
	cluster, err := privatekafka.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
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

// obtainKafka finds or fetches what brokers need, once in a run of the test binary.
var obtainKafka = sync.OnceValues(func() (privatekafka.Installation, error) {
	return privatekafka.Obtain(context.Background(), slog.Default())
})

// KafkaInstallation returns what brokers on this machine are started from. Where there is none, and it cannot be fetched,
// the test is skipped, with a word on standard error; it fails when CI=true.
func KafkaInstallation(t testing.TB) privatekafka.Installation {
	t.Helper()
	installation, err := obtainKafka()
	if err != nil {
		unproven(t, err, "tools/setup.sh java")
	}
	return installation
}

// Kcat returns the path of kcat, a client of Kafka written in C. Where there is none it does what [KafkaInstallation]
// does.
func Kcat(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("kcat")
	if err != nil {
		unproven(t, err, "tools/setup.sh kcat")
	}
	return path
}

// unproven ends a test that cannot run on this machine until it is mended with a command.
func unproven(t testing.TB, err error, mend string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	fmt.Fprintf(os.Stderr, "NOT PROVEN: %s did not run: %v; to mend it: %s\n", t.Name(), err, mend)
	t.Skip(err)
}
