package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"logflume/internal/testkit"
)

const kafkaPage = "../../docs/kafka.md"

// blocks returns the blocks of the page in that language.
func blocks(page, language string) (all []string) {
	for _, block := range strings.Split(page, "```"+language+"\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		all = append(all, text)
	}
	return all
}

// The page, from its first command to its last query, on a broker with TLS, SASL and ACLs.
func TestKafkaPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(kafkaPage)
	if err != nil {
		t.Fatal(err)
	}
	config, shell := blocks(string(page), "yaml"), blocks(string(page), "sh")
	if len(config) != 1 || len(shell) != 1 {
		t.Fatalf("the page has %d configurations and %d scripts, want one of each", len(config), len(shell))
	}
	dir := t.TempDir()
	k := newSecureKafka(t, dir, map[string]string{})
	db := testkit.Postgres(t)
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for script, class := range map[string]string{"kafka-topics.sh": "TopicCommand", "kafka-configs.sh": "ConfigCommand", "kafka-acls.sh": "AclCommand"} {
		write(script, "exec "+k.Installation.CommandLine("org.apache.kafka.tools."+class)+` "$@"`+"\n", 0o700)
	}
	if err := os.Link(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "kafka-ca.pem")); err != nil {
		t.Fatal(err)
	}
	write("logflume.yaml", config[0], 0o600)
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), name, args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "PATH="+dir+":"+filepath.Dir(testkit.Binary(t))+":"+os.Getenv("PATH"),
			"KAFKA_ADMIN="+k.Brokers()[0], "KAFKA_BOOTSTRAP="+k.SASLBrokers()[0], "KAFKA_PASSWORD=pages.secret", "CREDENTIALS_DIRECTORY="+dir,
			"LOG_DATABASE_URL="+db.URL, "LOGFLUME_DATABASE_SCHEMA="+db.Schema, "LOGFLUME_TELEMETRY_LISTEN=")
		return c
	}
	out, err := command("sh", "-ec", shell[0]).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "ok    sources[0]     1 topic with 6 partitions") {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "pages.secret") {
		t.Errorf("password in:\n%s", out)
	}

	var log strings.Builder
	run := command(testkit.Binary(t), "--log-level", "debug", "run", "--config", "logflume.yaml")
	run.Stderr = &log
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		k.client.Produce(t.Context(), &kgo.Record{Topic: "logs", Key: fmt.Append(nil, i), Value: []byte(numberedLine(i)), Headers: []kgo.RecordHeader{
			{Key: "traceparent", Value: []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")},
		}}, nil)
	}
	if err := k.client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn := db.Connect(t)
	testkit.Eventually(t, "all messages are stored, with key and trace", func() bool {
		var n int
		err := conn.QueryRow(t.Context(), "SELECT count(*) FROM "+db.Schema+".log_events WHERE attrs #>> '{kafka,key}' = attrs ->> 'n' "+
			"AND trace_id = '0af7651916cd43dd8448eb211c80319c'").Scan(&n)
		return err == nil && n == 60
	})
	queries := blocks(string(page), "sql")
	if len(queries) == 0 {
		t.Error("the page has no queries")
	}
	for _, q := range queries {
		if _, err := conn.Exec(t.Context(), strings.ReplaceAll(q, "logs.log_", db.Schema+".log_")); err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := run.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
	if strings.Contains(log.String(), "pages.secret") {
		t.Errorf("password in:\n%s", log.String())
	}
}

// The metrics that the page names are there.
func TestKafkaPageMetrics(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(kafkaPage)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(page), "`logflume_")[1:] {
		name, _, _ := strings.Cut(part, "`")
		if !strings.Contains(string(list), "\nlogflume_"+name+"\n") {
			t.Errorf("there is no metric logflume_%s", name)
		}
	}
}
