package privatekafka_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

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

// A node and its directory vanish with their process, killed or just ended.
func TestClusterEndsWithParent(t *testing.T) {
	t.Parallel()
	testkit.KafkaInstallation(t)
	for _, kill := range []bool{true, false} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"=1")
		cmd.Stderr = os.Stderr
		stdin, err := cmd.StdinPipe()
		if err != nil {
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
		if kill {
			cmd.Process.Kill()
		} else {
			stdin.Close()
		}
		io.Copy(io.Discard, stdout)
		cmd.Wait()
		gone := func(path string) bool { _, err := os.Stat(path); return os.IsNotExist(err) }
		poll := time.NewTicker(10 * time.Millisecond)
		defer poll.Stop()
		for !gone(dir) || !gone(fmt.Sprintf("/proc/%d", pid)) {
			select {
			case <-poll.C:
			case <-t.Context().Done():
				t.Fatalf("node %d or %s is still there", pid, dir)
			}
		}
	}
}
