package privatekafka

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"logflume/internal/keeper"
)

const (
	// The names of listeners.
	plainListener      = "PLAINTEXT"
	controllerListener = "CONTROLLER"

	// started is what a node logs when clients may come: it is then known to the controller and not fenced.
	started = "Kafka Server started"

	maxTail = 64 << 10 // bounds how much of a log's end is read

	heap = "-Xmx320m"
)

// A node is one broker and controller. Its cluster guards it.
type node struct {
	id         int
	dir        string // of its data, configuration and log
	ports      map[string]int
	installed  Installation
	removeWith string // the directory that vanishes with this process

	process *keeper.Process // nil while stopped
	seen    int64           // length of the log before the last start
}

func (n *node) configPath() string { return filepath.Join(n.dir, "server.properties") }
func (n *node) logPath() string    { return filepath.Join(n.dir, "server.log") }
func (n *node) temporary() string  { return "-Djava.io.tmpdir=" + n.dir } // native libraries are unpacked there

// format writes the node's configuration and initialises its storage.
func (n *node) format(ctx context.Context, clusterID string, settings map[string]string) error {
	if err := os.WriteFile(n.configPath(), []byte(render(settings)), 0o600); err != nil {
		return err
	}
	line := n.installed.command([]string{heap, n.temporary()}, "kafka.tools.StorageTool",
		"format", "--cluster-id="+clusterID, "--config", n.configPath())
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format the storage of node %d: %w:\n%s", n.id, err, bytes.TrimSpace(out))
	}
	return nil
}

// running reports whether the node's process is there.
func (n *node) running() bool { return n.process != nil && !n.process.Ended(0) }

// launch starts the node's process, unless it runs, and does not wait until it is ready.
func (n *node) launch() error {
	if n.running() {
		return nil
	}
	if err := n.end(); err != nil {
		return err
	}
	log, err := os.OpenFile(n.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return err
	}
	n.seen = info.Size()
	n.process, err = keeper.Start(keeper.Command{
		Args: n.installed.command([]string{heap, n.temporary(), "-Dlevel=INFO"}, "kafka.Kafka", n.configPath()),
		Log:  log, Abrupt: "KILL", Remove: n.removeWith,
	})
	if err != nil {
		return fmt.Errorf("start node %d: %w", n.id, err)
	}
	return nil
}

// ready waits until the node that was launched serves clients.
func (n *node) ready(ctx context.Context) error {
	for {
		log, err := os.ReadFile(n.logPath())
		if err != nil {
			return err
		}
		if bytes.Contains(log[min(n.seen, int64(len(log))):], []byte(started)) {
			return nil
		}
		if n.process.Ended(20 * time.Millisecond) {
			return fmt.Errorf("node %d ended at its start:\n%s", n.id, n.logTail(20))
		}
		if ctx.Err() != nil {
			return fmt.Errorf("start node %d: %w", n.id, ctx.Err())
		}
	}
}

// end ends the node's process abruptly, if there is one.
func (n *node) end() error {
	if n.process == nil {
		return nil
	}
	p := n.process
	n.process = nil
	return p.Close()
}

// logTail returns up to lines last lines of the node's log, or what went wrong reading them.
func (n *node) logTail(lines int) string {
	log, err := os.Open(n.logPath())
	if err != nil {
		return err.Error()
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return err.Error()
	}
	tail := make([]byte, min(info.Size(), maxTail))
	read, _ := log.ReadAt(tail, info.Size()-int64(len(tail))) // what was read counts
	all := strings.Split(strings.TrimRight(string(tail[:read]), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
