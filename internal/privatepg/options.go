package privatepg

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Options say what kind of server to start. The zero value is a temporary, fast one on a Unix socket.
type Options struct {
	// Installation is what to run; the zero value means what Find finds.
	Installation Installation

	// Dir is the data directory. It is made and initialised if it is empty or missing, and stays after Close. When Dir is
	// "" a temporary directory is used, which is removed.
	Dir string

	// TCP makes the server listen on a free port of the loopback interface as well, protected by a random password, and
	// makes URL name that port.
	TCP bool

	// Durable makes the server wait for the disk at every commit. Without it data survives every end of the server
	// process, also Stop(Immediate), but not a crash of the machine.
	Durable bool

	// Settings are added to the server's configuration and win over our own.
	Settings map[string]string
}

// configuration renders the settings in the format of postgresql.conf.
func (o *Options) configuration() string {
	settings := map[string]string{
		"unix_socket_permissions":   "0700",
		"logging_collector":         "off", // standard error is our log file
		"log_destination":           "stderr",
		"log_line_prefix":           "%m [%p] ",
		"timezone":                  "UTC",
		"log_timezone":              "UTC",
		"max_wal_senders":           "0", // otherwise a fast stop waits for them
		"max_locks_per_transaction": "256",
		"shared_buffers":            "64MB",
	}
	if !o.Durable {
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
	}
	maps.Copy(settings, o.Settings)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s = %s\n", name, quote(settings[name]))
	}
	return text.String()
}

// quote renders a value for postgresql.conf.
func quote(value string) string {
	return "'" + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(value) + "'"
}
