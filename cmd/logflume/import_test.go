package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"logflume/internal/testkit"
	"logflume/schema"
)

// An interruptedImport is an import of lines from a pipe, whose database can be taken away.
type interruptedImport struct {
	*exec.Cmd
	stdin io.WriteCloser
	proxy *testkit.FaultyProxy
	log   func() string // what it has said so far
	count func() int    // rows that are committed
}

// startImport starts an import with those flags and has it commit one line.
func startImport(t *testing.T, flags ...string) *interruptedImport {
	t.Helper()
	db := testkit.Postgres(t)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	proxy, url := testkit.ProxyURL(t, db.URL)
	cmd := exec.Command(testkit.Binary(t), append(append([]string{"import"}, flags...), "-")...)
	cmd.Env = append(os.Environ(), "LOG_DATABASE_URL="+url, "LOGFLUME_DATABASE_SCHEMA="+db.Schema)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // unless it has ended
	conn := db.Connect(t)
	run := &interruptedImport{Cmd: cmd, stdin: stdin, proxy: proxy}
	run.log = func() string {
		said, err := os.ReadFile(stderr.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(said)
	}
	run.count = func() (n int) {
		if err := conn.QueryRow(context.Background(), "SELECT count(*) FROM "+db.Schema+".log_events").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	fmt.Fprintln(stdin, `{"message":"first"}`)
	testkit.Eventually(t, "the first line is committed", func() bool { return run.count() == 1 })
	return run
}

// loseDatabase takes the database away and gives the import another line.
func (i *interruptedImport) loseDatabase() {
	i.proxy.Refuse(true)
	i.proxy.Cut()
	fmt.Fprintln(i.stdin, `{"message":"second"}`)
}

// An import whose database goes away in the middle gives up after --wait, says so, and keeps what it has committed.
func TestImportGivesUpOnDatabaseThatIsGone(t *testing.T) {
	t.Parallel()
	run := startImport(t, "--wait", "300ms")
	run.loseDatabase()
	var exit *exec.ExitError
	if err := run.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
		t.Errorf("ended with %v, want exit code %d", err, exitFailed)
	}
	if !strings.Contains(run.log(), errDatabaseGone.Error()) {
		t.Errorf("no word about the database:\n%s", run.log())
	}
	if n := run.count(); n != 1 {
		t.Errorf("%d rows, want the one that was committed", n)
	}
}

// With --wait 0s it does not give up.
func TestImportWaitsForEver(t *testing.T) {
	t.Parallel()
	run := startImport(t, "--wait", "0s")
	run.loseDatabase()
	testkit.Eventually(t, "the import has met that the database is gone", func() bool {
		return strings.Contains(run.log(), "database does not do its part")
	})
	run.proxy.Refuse(false)
	if err := run.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := run.Wait(); err != nil {
		t.Errorf("ended with %v:\n%s", err, run.log())
	}
	if n := run.count(); n != 2 {
		t.Errorf("%d rows, want both", n)
	}
}
