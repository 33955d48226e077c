package privatekafka_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"logflume/internal/privatekafka"
	"logflume/internal/testkit"
)

// childVariable makes the test binary start a cluster, print its nodes' process ids and its directory, and wait.
const childVariable = "LOGFLUME_TEST_PRIVATEKAFKA_CHILD"

func child() int {
	c, err := privatekafka.Start(context.Background(), privatekafka.Options{})
	if err != nil {
		println(err.Error())
		return 1
	}
	fmt.Println(c.PID(0), c.Dir())
	os.Stdin.Read(make([]byte, 1))
	return 0 // without Close
}

// A node and its directory vanish with their process, also when that is killed.
func TestClusterEndsWithParent(t *testing.T) {
	t.Parallel()
	testkit.KafkaInstallation(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // so that it waits
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	if _, err := fmt.Fscanln(stdout, &pid, &dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	gone := func(path string) bool { _, err := os.Stat(path); return os.IsNotExist(err) }
	testkit.Eventually(t, fmt.Sprintf("node %d and %s are gone", pid, dir), func() bool {
		return gone(dir) && gone(fmt.Sprintf("/proc/%d", pid))
	})
}
