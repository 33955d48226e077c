package privatekafka

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Options say what kind of cluster to start. The zero value is one node.
type Options struct {
	// Installation is what to run; the zero value means what Obtain finds.
	Installation Installation

	// Nodes is how many there are, 1 if it is 0.
	Nodes int

	// Port is that of the first node's plaintext listener; 0 means a free one.
	Port int

	// TLS adds a listener that encrypts, see TLSBrokers.
	TLS *TLS

	// Users adds a listener on which these may log in, see SASLBrokers; it encrypts if TLS is set.
	Users []User

	// Settings are added to each node's configuration and win over our own.
	Settings map[string]string
}

// settings returns what all nodes have in common.
func (o *Options) settings() map[string]string {
	replicas := strconv.Itoa(min(o.Nodes, 3))
	settings := map[string]string{
		"process.roles":                  "broker,controller",
		"controller.listener.names":      controllerListener,
		"inter.broker.listener.name":     plainListener,
		"default.replication.factor":     replicas,
		"offsets.topic.num.partitions":   "3",
		"num.network.threads":            "2",
		"num.io.threads":                 "4",
		"log.cleaner.dedupe.buffer.size": "4194304", // otherwise half of the heap
		"log.initial.task.delay.ms":      "500",     // otherwise nothing is deleted in the first half minute

		"transaction.state.log.num.partitions":     "3",
		"offsets.topic.replication.factor":         replicas,
		"transaction.state.log.replication.factor": replicas,
		"transaction.state.log.min.isr":            "1",

		// Tests let members of a group vanish, and wait for what follows.
		"group.initial.rebalance.delay.ms": "0",
		"group.min.session.timeout.ms":     "500",
		"broker.heartbeat.interval.ms":     "500",
		"broker.session.timeout.ms":        "3000", // so long a killed node holds its partitions, and waits at its next start
	}
	o.addSecurity(settings)
	return settings
}

// render writes settings in the format of Java's properties.
func render(settings map[string]string) string {
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s=%s\n", name, escape.Replace(settings[name]))
	}
	return text.String()
}
