package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"logflume/internal/testkit"
	"logflume/schema"
)

// The first signal drains, which takes long when the database went away; the second ends at once, with exit code 1.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	proxy, url := testkit.ProxyURL(t, db.URL)
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.log", `{"message":"first"}`+"\n")
	write("logflume.yaml", "sources: [{file: {paths: ['"+dir+"/*.log']}}]\ntelemetry: {listen: ''}\n")

	cmd := exec.Command(testkit.Binary(t), "run", "--config", filepath.Join(dir, "logflume.yaml"))
	cmd.Env = append(os.Environ(), "LOG_DATABASE_URL="+url, "LOGFLUME_DATABASE_SCHEMA="+db.Schema)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // unless it has ended
	log := bufio.NewScanner(stderr)
	awaitLine := func(part string) {
		t.Helper()
		for log.Scan() {
			t.Log(log.Text())
			if strings.Contains(log.Text(), part) {
				return
			}
		}
		t.Fatalf("the log ended without %q", part)
	}
	signal := func(s os.Signal) {
		t.Helper()
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}

	conn := db.Connect(t)
	testkit.Eventually(t, "the first line is committed", func() bool {
		var n int
		err := conn.QueryRow(context.Background(), "SELECT count(*) FROM "+db.Schema+".log_events").Scan(&n)
		return err == nil && n == 1
	})
	proxy.Refuse(true)
	proxy.Cut()
	write("b.log", `{"message":"second"}`+"\n")
	awaitLine("trying again")
	signal(syscall.SIGTERM)
	awaitLine("a second signal exits at once")
	signal(syscall.SIGTERM)
	awaitLine("exiting at once")
	for log.Scan() {
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
		t.Errorf("ended with %v, want exit code %d", err, exitFailed)
	}
}
