package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/privatekafka"
	"logflume/internal/privatepg"
	"logflume/schema"
)

const speedTopic = "speed"

// A kafkaSpeed measures reading the corpus from a topic.
type kafkaSpeed struct {
	binary, corpus string
	lines, size    int64
	cluster        *privatekafka.Cluster
	dir            string
}

// runKafka fills a topic with the corpus, by kcat, and lets Kafka's own kafka-consumer-perf-test, kcat and logflume
// read it in turn; logflume without a database. Then logflume stores it once.
func runKafka(ctx context.Context, k kafkaSpeed, rounds, partitions int, codec string) (err error) {
	installation, err := privatekafka.Obtain(ctx, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	if k.cluster, err = privatekafka.Start(ctx, privatekafka.Options{Installation: installation, Settings: map[string]string{
		"num.partitions": strconv.Itoa(partitions), "group.min.session.timeout.ms": "6000",
	}}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.cluster.Close()) }()
	if k.dir, err = os.MkdirTemp("", "logflume-speed-"); err != nil {
		return err
	}
	defer os.RemoveAll(k.dir)
	if err := k.produce(ctx, codec); err != nil {
		return err
	}
	fmt.Printf("topic: %d partitions, compression %s\n", partitions, codec)
	var ratios []float64
	for i := range rounds + 1 {
		java, err := k.measure(exec.CommandContext(ctx, installation.Java, "-Xmx512m", "-cp", filepath.Join(installation.Dir, "*"),
			"org.apache.kafka.tools.ConsumerPerformance", "--bootstrap-server", k.cluster.Brokers()[0], "--topic", speedTopic,
			"--messages", strconv.FormatInt(k.lines, 10), "--group", fmt.Sprint("java-", i), "--timeout", "60000"))
		if err != nil {
			return err
		}
		kcat, err := k.measure(exec.CommandContext(ctx, "kcat", "-b", k.cluster.Brokers()[0], "-t", speedTopic, "-C", "-e", "-q"))
		if err != nil {
			return err
		}
		ours, err := k.follow(ctx, fmt.Sprint("ours-", i), "--discard")
		if err != nil {
			return err
		}
		if i == 0 {
			continue // it brought the topic into the page cache
		}
		ratios = append(ratios, java.cpu.Seconds()/ours.cpu.Seconds())
		fmt.Printf("kafka-consumer-perf-test: %s\nkcat to /dev/null: %s\nlogflume run --discard: %s\nmessages per CPU-second, logflume / kafka-consumer-perf-test: %.2f, / kcat: %.2f\n",
			java.describe(k.lines, k.size), kcat.describe(k.lines, k.size), ours.describe(k.lines, k.size),
			ratios[len(ratios)-1], kcat.cpu.Seconds()/ours.cpu.Seconds())
	}
	slices.Sort(ratios)
	fmt.Printf("median ratio logflume / kafka-consumer-perf-test: %.2f\n", ratios[len(ratios)/2])
	return k.store(ctx)
}

// produce writes the corpus to the topic.
func (k *kafkaSpeed) produce(ctx context.Context, codec string) error {
	cmd := exec.CommandContext(ctx, "kcat", "-b", k.cluster.Brokers()[0], "-t", speedTopic, "-P", "-z", codec,
		"-X", "topic.partitioner=random", "-X", "sticky.partitioning.linger.ms=0", "-X", "linger.ms=50", "-X", "batch.size=262144", "-l", k.corpus)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// measure runs a command to its end.
func (k *kafkaSpeed) measure(cmd *exec.Cmd) (result, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return result{}, fmt.Errorf("%s: %w\n%s", cmd, err, stderr.Bytes())
	}
	return resultOf(cmd, time.Since(start)), nil
}

// follow runs the service until it has committed all lines.
func (k *kafkaSpeed) follow(ctx context.Context, group string, args ...string) (result, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return result{}, err
	}
	address := listener.Addr().String()
	listener.Close()
	config := filepath.Join(k.dir, "logflume.yaml")
	text := fmt.Sprintf("telemetry: {listen: %q}\nsources:\n  - kafka: {brokers: [%q], topics: [%s], group: %s}\n",
		address, k.cluster.Brokers()[0], speedTopic, group)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(ctx, k.binary, append([]string{"run", "--config", config}, args...)...)
	cmd.Env = append(os.Environ(), "LOGFLUME_DATABASE_SCHEMA="+speedSchema)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	for tick := time.NewTicker(20 * time.Millisecond); committedLines(address) < k.lines; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return result{}, ctx.Err()
		}
	}
	wall := time.Since(start)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return result{}, err
	}
	if err := cmd.Wait(); err != nil {
		return result{}, fmt.Errorf("%s: %w\n%s", cmd, err, stderr.Bytes())
	}
	return resultOf(cmd, wall), nil
}

// committedLines asks a running instance; 0 while it does not answer.
func committedLines(address string) int64 {
	answer, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	var sum int64
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "logflume_lines_total{"); ok {
			_, value, _ := strings.Cut(rest, "} ")
			n, _ := strconv.ParseFloat(value, 64) // 0 is right for what is no number
			sum += int64(n)
		}
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	return sum
}

// store measures the way into a database.
func (k *kafkaSpeed) store(ctx context.Context) (err error) {
	server, err := privatepg.Start(ctx, serverOptions)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	url := server.URL("postgres")
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if _, _, err := schema.Migrate(ctx, url, speedSchema); err != nil {
		return err
	}
	stored, err := k.follow(ctx, "stored", "--database-url", url)
	if err != nil {
		return err
	}
	fmt.Printf("logflume run into PostgreSQL: %s\n", stored.describe(k.lines, k.size))
	imported, _, err := round(ctx, server, conn, k.binary, k.corpus)
	if err != nil {
		return err
	}
	fmt.Printf("logflume import of the same lines from a file: all committed after %.2fs, %.0f lines/s\n",
		imported.committed.Seconds(), float64(k.lines)/imported.committed.Seconds())
	return nil
}
