package testkit

import (
	"os/exec"
	"testing"
)

// Logrotate returns the path of logrotate, which rotates the log files of most Linux systems. Where there is none it does
// what [KafkaInstallation] does.
func Logrotate(t testing.TB) string {
	t.Helper()
	// Debian has it where the search path of a user does not lead.
	for _, name := range []string{"logrotate", "/usr/sbin/logrotate"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	unproven(t, exec.ErrNotFound, "tools/setup.sh logrotate")
	return ""
}
