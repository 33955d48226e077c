package testkit

import (
	"os/exec"
	"testing"
)

// Promtool returns the path of promtool, which checks and tests rules of Prometheus. Where there is none it does what
// [KafkaInstallation] does.
func Promtool(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		unproven(t, err, "tools/setup.sh promtool")
	}
	return path
}
