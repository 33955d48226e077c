package chaos

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"

	"logflume/internal/testkit"
)

// Kcat starts a service whose lines go into the topic through kcat, hence librdkafka, with further options of it.
func (r *TopicRig) Kcat(name string, options ...string) {
	r.t.Helper()
	r.produce(name, r.Size.Lines, r.Size.Rate, r.throughKcat(options...))
}

// Java starts a service whose lines go into the topic through Kafka's own console producer, with further options of it.
func (r *TopicRig) Java(name string, options ...string) {
	r.t.Helper()
	const forEver = "1800000" // ms: a broker that is away costs no message
	command := r.cluster.Installation.Tool(r.t.Context(), "org.apache.kafka.tools.ConsoleProducer", append([]string{
		"--bootstrap-server", r.bootstrap(), "--topic", r.name, "--max-block-ms", forEver, "--timeout", "20",
		"--message-send-max-retries", "2147483647", "--command-property", "delivery.timeout.ms=" + forEver,
		"--command-property", "acks=all", "--command-property", "enable.idempotence=true",
	}, options...)...)
	r.produce(name, r.Size.Lines, r.Size.Rate, command)
}

func (r *TopicRig) throughKcat(options ...string) *exec.Cmd {
	return exec.CommandContext(r.t.Context(), r.kcat, append([]string{
		"-P", "-E", "-b", r.bootstrap(), "-t", r.name, "-X", "enable.idempotence=true", "-X", "acks=all",
		"-X", "message.timeout.ms=1800000", "-X", "queue.buffering.max.ms=20",
	}, options...)...)
}

// produce starts a service that writes lines into a pipe that the producer reads.
func (r *TopicRig) produce(name string, lines int, rate float64, producer *exec.Cmd) {
	r.t.Helper()
	pipe := filepath.Join(r.dir, name+".log")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		r.t.Fatal(err)
	}
	writer := exec.Command(testkit.Program(r.t, "./internal/chaos/writers/slogwriter"),
		"-dir", r.dir, "-name", name, "-lines", fmt.Sprint(lines), "-rate", fmt.Sprint(rate), "-rotate", "0")
	// To open a pipe is to wait for its other end, so the shell does it.
	producer.Args = append([]string{"sh", "-c", `exec "$@" <"$0"`, pipe}, producer.Args...)
	producer.Path = "/bin/sh"
	r.begin(&Writer{Name: name, Lines: lines, command: writer, producer: producer, reports: true})
}

// Transactions starts Kafka's own client writing transactions, of which it aborts every second one.
func (r *TopicRig) Transactions() {
	r.t.Helper()
	count, records := r.Size.Transactions, r.Size.Records
	command, err := r.cluster.Transactions(r.t.Context(), r.name, count, records)
	if err != nil {
		r.t.Fatal(err)
	}
	r.form = TransactionLines(records)
	r.begin(&Writer{Name: "committed", Lines: (count + 1) / 2 * records, command: command})
}
