package main

import (
	"os"
	"strings"
)

// hostIdentity returns who this machine is in source keys, and where that comes from: the configuration, else the machine
// id, else the host name.
func hostIdentity(configured string) (host, origin string, err error) {
	if configured != "" {
		return configured, "configuration", nil
	}
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		id, err := os.ReadFile(path)
		if text := strings.TrimSpace(string(id)); err == nil && text != "" && text != "uninitialized" {
			return text, path, nil
		}
	}
	host, err = os.Hostname()
	return host, "host name", err
}

// inContainer reports whether this process runs where neither machine id nor host name outlive a restart.
func inContainer() bool {
	if os.Getenv("KUBERNETES_SERVICE_HOST") != "" || os.Getenv("container") != "" {
		return true
	}
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			return true
		}
	}
	return false
}
