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

	"golang.org/x/sync/errgroup"

	"logflume/internal/keeper"
)

// A Cluster is a directory with the data of nodes and, unless they are stopped, the nodes. They are numbered from 0; to
// Kafka, node 0 has id 1.
type Cluster struct {
	Installation Installation

	dir   string // a temporary directory with everything
	nodes []*node
}

// Start starts a new, empty cluster. It returns when all nodes serve clients. The caller ends it with Close.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Installation.Java == "" {
		var err error
		if o.Installation, err = Obtain(ctx, slog.New(slog.DiscardHandler)); err != nil {
			return nil, err
		}
	}
	return start(ctx, o)
}

// start is Start with options for the Java machines of the nodes.
func start(ctx context.Context, o Options, javaOptions ...string) (*Cluster, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	c := &Cluster{Installation: o.Installation}
	if err := c.start(ctx, &o, javaOptions); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o *Options, javaOptions []string) error {
	var err error
	if c.dir, err = os.MkdirTemp("", "logflume-kafka-"); err != nil {
		return err
	}
	if err := c.addNodes(o, javaOptions); err != nil {
		return err
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	id[0] &= 0x7f        // must not begin with "-"
	as := formatted{clusterID: base64.RawURLEncoding.EncodeToString(id), users: o.addUsers()}
	group, formatCtx := errgroup.WithContext(ctx)
	for _, n := range c.nodes {
		settings := c.settings(n, o)
		group.Go(func() error { return n.format(formatCtx, as, settings) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	group, startCtx := errgroup.WithContext(ctx)
	for _, n := range c.nodes { // together: one alone would not get a quorum
		group.Go(func() error { return n.start(startCtx) })
	}
	return group.Wait()
}

// addNodes makes the nodes with their directories and ports.
func (c *Cluster) addNodes(o *Options, javaOptions []string) error {
	for i := range o.Nodes {
		n := &node{
			id: i + 1, dir: filepath.Join(c.dir, strconv.Itoa(i+1)), ports: map[string]int{},
			installed: c.Installation, removeWith: c.dir, options: javaOptions,
		}
		if err := os.Mkdir(n.dir, 0o700); err != nil {
			return err
		}
		for _, l := range o.listeners() {
			port := o.Port
			if i > 0 || l.name != plainListener || port == 0 {
				var err error
				if port, err = freePort(); err != nil {
					return err
				}
			}
			n.ports[l.name] = port
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
	var at, protocols []string
	for _, l := range o.listeners() {
		at = append(at, l.name+"://"+address(n.ports[l.name]))
		protocols = append(protocols, l.name+":"+l.protocol)
	}
	settings["node.id"] = strconv.Itoa(n.id)
	settings["controller.quorum.voters"] = strings.Join(voters, ",")
	settings["listeners"] = strings.Join(at, ",")
	settings["advertised.listeners"] = strings.Join(at[1:], ",") // all but the controller's
	settings["listener.security.protocol.map"] = strings.Join(protocols, ",")
	settings["log.dirs"] = filepath.Join(n.dir, "data")
	maps.Copy(settings, o.Settings)
	return settings
}

// Brokers returns the addresses of all nodes, also of those that are stopped, for clients without encryption.
func (c *Cluster) Brokers() []string { return c.addresses(plainListener) }

// TLSBrokers returns the addresses for clients that encrypt, and show a certificate if [TLS] asks for one.
func (c *Cluster) TLSBrokers() []string { return c.addresses(tlsListener) }

// SASLBrokers returns the addresses for clients that log in as one of [Options].Users, encrypted if TLS is set.
func (c *Cluster) SASLBrokers() []string { return c.addresses(saslListener) }

// addresses returns those of a listener, nil if there is no such listener.
func (c *Cluster) addresses(listener string) []string {
	var all []string
	for _, n := range c.nodes {
		if port, ok := n.ports[listener]; ok {
			all = append(all, address(port))
		}
	}
	return all
}

// StartNode starts a stopped node again, at the same place and addresses, and waits until it serves clients, for which
// more than half of the nodes must run. A node that runs is left alone.
func (c *Cluster) StartNode(ctx context.Context, i int) error { return c.nodes[i].start(ctx) }

// StopNode ends a node in an orderly way and waits until it has ended: it hands over what it leads first. A stop that
// takes too long becomes an abrupt one. A stopped node is left alone.
func (c *Cluster) StopNode(i int) error { return c.nodes[i].stop(true) }

// KillNode ends a node with kill -9. A stopped node is left alone.
func (c *Cluster) KillNode(i int) error { return c.nodes[i].stop(false) }

// PID returns the id of a node's process, 0 while it is stopped.
func (c *Cluster) PID(i int) int { return c.nodes[i].pid() }

// Close ends all nodes abruptly and removes everything that Start made.
func (c *Cluster) Close() error {
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, n.stop(false))
	}
	if c.dir != "" {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	return errors.Join(errs...)
}

// Dir returns the temporary directory that holds the cluster's data and logs.
func (c *Cluster) Dir() string { return c.dir }

// LogTail returns up to lines last lines of each node's log, or what went wrong reading them.
func (c *Cluster) LogTail(lines int) string {
	var text strings.Builder
	for _, n := range c.nodes {
		fmt.Fprintf(&text, "node %d:\n%s\n", n.id-1, keeper.LogTail(n.logPath(), lines))
	}
	return text.String()
}
