package privatekafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"logflume/internal/keeper"
)

const (
	// started is what a node logs when clients may come: it is then known to the controller and not fenced.
	started = "Kafka Server started"

	// cleanStop is how long a clean stop may take before it becomes an abrupt one.
	cleanStop = 30 * time.Second

	heap = "-Xmx320m"
)

// A node is one broker and controller.
type node struct {
	id         int    // to Kafka; to us its number is one less
	dir        string // of its data, configuration and log
	ports      map[string]int
	installed  Installation
	removeWith string   // the directory that vanishes with this process
	options    []string // of the Java machine

	mu      sync.Mutex      // guards what follows; nodes that need each other start at the same time
	process *keeper.Process // nil while stopped
	seen    int64           // length of the log before the last start
}

// formatted is what the storage of all nodes is formatted with.
type formatted struct {
	clusterID string
	users     []string // arguments
}

func (n *node) configPath() string { return filepath.Join(n.dir, "server.properties") }
func (n *node) logPath() string    { return filepath.Join(n.dir, "server.log") }
func (n *node) temporary() string  { return "-Djava.io.tmpdir=" + n.dir } // native libraries are unpacked there

// format writes the node's configuration and initialises its storage.
func (n *node) format(ctx context.Context, as formatted, settings map[string]string) error {
	if err := os.WriteFile(n.configPath(), []byte(render(settings)), 0o600); err != nil {
		return err
	}
	args := append([]string{"format", "--cluster-id=" + as.clusterID, "--config", n.configPath()}, as.users...)
	line := n.installed.command([]string{heap, n.temporary()}, "kafka.tools.StorageTool", args...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format the storage of node %d: %w:\n%s", n.id-1, err, bytes.TrimSpace(out))
	}
	return nil
}

// start starts the node, unless it runs, and waits until it serves clients.
func (n *node) start(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process != nil && !n.process.Ended(0) {
		return nil
	}
	if err := n.endLocked(); err != nil {
		return err
	}
	if err := n.launchLocked(); err != nil {
		return fmt.Errorf("start node %d: %w", n.id-1, err)
	}
	if err := n.awaitLocked(ctx); err != nil {
		return errors.Join(err, n.endLocked())
	}
	return nil
}

// launchLocked starts the node's process.
func (n *node) launchLocked() error {
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
		Args: n.installed.command(append([]string{heap, n.temporary(), "-Dlevel=INFO"}, n.options...), "kafka.Kafka", n.configPath()),
		Log:  log, Abrupt: "KILL", Remove: n.removeWith,
	})
	return err
}

// awaitLocked waits until the node that was launched serves clients.
func (n *node) awaitLocked(ctx context.Context) error {
	log, err := os.Open(n.logPath())
	if err != nil {
		return err
	}
	defer log.Close()
	for {
		text, err := io.ReadAll(io.NewSectionReader(log, n.seen, math.MaxInt64-n.seen))
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte(started)) {
			return nil
		}
		if n.process.Ended(20 * time.Millisecond) {
			return fmt.Errorf("node %d ended at its start:\n%s", n.id-1, keeper.LogTail(n.logPath(), 20))
		}
		if ctx.Err() != nil {
			return fmt.Errorf("start node %d: %w", n.id-1, ctx.Err())
		}
	}
}

// stop ends the node and waits until it has ended: in an orderly way, if that does not take too long, or abruptly. A
// stopped node is left alone.
func (n *node) stop(orderly bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if orderly && n.process != nil {
		ctx, cancel := context.WithTimeout(context.Background(), cleanStop)
		defer cancel()
		_ = n.process.Signal(ctx, "TERM") // what is still there is ended below
	}
	return n.endLocked()
}

// pid returns the id of the node's process, 0 while it is stopped.
func (n *node) pid() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return 0
	}
	return n.process.PID
}

// endLocked ends the node's process abruptly, if there is one.
func (n *node) endLocked() error {
	if n.process == nil {
		return nil
	}
	p := n.process
	n.process = nil
	return p.Close()
}
