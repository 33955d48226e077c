package privatekafka

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// cleanStop is how long a clean stop may take before it becomes an abrupt one.
const cleanStop = 30 * time.Second

// A Cluster is a directory with the data of nodes and, unless they are stopped, the nodes. They are numbered from 0; to
// Kafka, node 0 has id 1.
type Cluster struct {
	Installation Installation

	dir string // a temporary directory with everything

	mu    sync.Mutex
	nodes []*node // the slice is not changed
}

// Start starts a new, empty cluster. It returns when all nodes serve clients. The caller ends it with Close.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	if o.Installation.Java == "" {
		var err error
		if o.Installation, err = Obtain(ctx, slog.New(slog.DiscardHandler)); err != nil {
			return nil, err
		}
	}
	c := &Cluster{Installation: o.Installation}
	if err := c.start(ctx, &o); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o *Options) error {
	var err error
	if c.dir, err = os.MkdirTemp("", "logflume-kafka-"); err != nil {
		return err
	}
	if err := c.addNodes(o); err != nil {
		return err
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return err
	}
	id[0] &= 0x7f // must not begin with "-"
	clusterID := base64.RawURLEncoding.EncodeToString(id)
	group, formatCtx := errgroup.WithContext(ctx)
	for _, n := range c.nodes {
		settings := c.settings(n, o)
		group.Go(func() error { return n.format(formatCtx, clusterID, settings) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.nodes { // all, then wait: one alone would not get a quorum
		if err := n.launch(); err != nil {
			return err
		}
	}
	for _, n := range c.nodes {
		if err := n.ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// addNodes makes the nodes with their directories and ports.
func (c *Cluster) addNodes(o *Options) error {
	for i := range o.Nodes {
		n := &node{
			id: i + 1, dir: filepath.Join(c.dir, strconv.Itoa(i+1)), ports: map[string]int{},
			installed: c.Installation, removeWith: c.dir,
		}
		if err := os.Mkdir(n.dir, 0o700); err != nil {
			return err
		}
		for _, listener := range []string{plainListener, controllerListener} {
			var err error
			if i == 0 && listener == plainListener && o.Port != 0 {
				n.ports[listener] = o.Port
			} else if n.ports[listener], err = freePort(); err != nil {
				return err
			}
		}
		c.nodes = append(c.nodes, n)
	}
	return nil
}

// settings returns the configuration of a node.
func (c *Cluster) settings(n *node, o *Options) map[string]string {
	settings := o.settings()
	var voters []string
	for _, other := range c.nodes {
		voters = append(voters, fmt.Sprintf("%d@%s", other.id, address(other.ports[controllerListener])))
	}
	plain := plainListener + "://" + address(n.ports[plainListener])
	settings["node.id"] = strconv.Itoa(n.id)
	settings["controller.quorum.voters"] = strings.Join(voters, ",")
	settings["listeners"] = plain + "," + controllerListener + "://" + address(n.ports[controllerListener])
	settings["advertised.listeners"] = plain
	settings["listener.security.protocol.map"] = plainListener + ":PLAINTEXT," + controllerListener + ":PLAINTEXT"
	settings["log.dirs"] = filepath.Join(n.dir, "data")
	maps.Copy(settings, o.Settings)
	return settings
}

// Brokers returns the addresses of all nodes, also of those that are stopped, for clients without encryption.
func (c *Cluster) Brokers() []string { return c.addresses(plainListener) }

func (c *Cluster) addresses(listener string) []string {
	var all []string
	for _, n := range c.nodes {
		all = append(all, address(n.ports[listener]))
	}
	return all
}

// StartNode starts a stopped node again, at the same place and addresses, and waits until it serves clients. A node that
// runs is left alone.
func (c *Cluster) StartNode(ctx context.Context, i int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[i]
	if n.running() {
		return nil
	}
	if err := n.launch(); err != nil {
		return err
	}
	if err := n.ready(ctx); err != nil {
		return errors.Join(err, n.end())
	}
	return nil
}

// StopNode ends a node in an orderly way and waits until it has ended: it hands over what it leads first. A stop that
// takes too long becomes an abrupt one. A stopped node is left alone.
func (c *Cluster) StopNode(i int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[i]
	if n.process == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanStop)
	defer cancel()
	_ = n.process.Signal(ctx, "TERM") // what is still there is ended below
	return n.end()
}

// KillNode ends a node with kill -9. A stopped node is left alone.
func (c *Cluster) KillNode(i int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[i].end()
}

// Close ends all nodes abruptly and removes everything that Start made.
func (c *Cluster) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, n.end())
	}
	if c.dir != "" {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	return errors.Join(errs...)
}

// PID returns the id of a node's process, 0 while it is stopped.
func (c *Cluster) PID(i int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes[i].process == nil {
		return 0
	}
	return c.nodes[i].process.PID
}

// Dir returns the temporary directory that holds the cluster's data and logs.
func (c *Cluster) Dir() string { return c.dir }

// LogTail returns up to lines last lines of each node's log, or what went wrong reading them.
func (c *Cluster) LogTail(lines int) string {
	var text strings.Builder
	for _, n := range c.nodes {
		fmt.Fprintf(&text, "node %d:\n%s\n", n.id-1, n.logTail(lines))
	}
	return text.String()
}
