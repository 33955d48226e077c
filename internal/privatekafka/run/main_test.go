package main_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"logflume/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var said = regexp.MustCompile(`listens on (\S+), its log is (\S+)/1/server.log`)

// The broker runs where it says, also when the usual port is taken, and leaves nothing when it is interrupted.
func TestRunsUntilInterrupted(t *testing.T) {
	t.Parallel()
	testkit.KafkaInstallation(t)
	if taken, err := net.Listen("tcp", "127.0.0.1:9092"); err == nil { // else it is taken already
		defer taken.Close()
	}
	cmd := exec.CommandContext(t.Context(), testkit.Program(t, "./internal/privatekafka/run"))
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(stdout)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	found := said.FindStringSubmatch(line)
	if found == nil || found[1] == "127.0.0.1:9092" {
		t.Fatalf("it says %q", line)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(found[2] + "/1/server.log"); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(string(rest), "KAFKA_BROKERS="+found[1]) {
		t.Errorf("it says %q", rest)
	}
	if _, err := os.Stat(found[2]); !os.IsNotExist(err) {
		t.Errorf("%s was left: %v", found[2], err)
	}
}
