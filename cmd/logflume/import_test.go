package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"logflume/internal/testkit"
	"logflume/schema"
)

// An import whose database goes away in the middle gives up after --wait, says so, and keeps what it has committed.
func TestImportGivesUpOnDatabaseThatIsGone(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	proxy, url := testkit.ProxyURL(t, db.URL)
	cmd := exec.Command(testkit.Binary(t), "import", "--wait", "300ms", "-")
	cmd.Env = append(os.Environ(), "LOG_DATABASE_URL="+url, "LOGFLUME_DATABASE_SCHEMA="+db.Schema)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // unless it has ended

	conn := db.Connect(t)
	count := func() (n int) {
		if err := conn.QueryRow(context.Background(), "SELECT count(*) FROM "+db.Schema+".log_events").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	fmt.Fprintln(stdin, `{"message":"first"}`)
	testkit.Eventually(t, "the first line is committed", func() bool { return count() == 1 })
	proxy.Refuse(true)
	proxy.Cut()
	fmt.Fprintln(stdin, `{"message":"second"}`)

	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
		t.Errorf("ended with %v, want exit code %d", err, exitFailed)
	}
	if !strings.Contains(stderr.String(), errDatabaseGone.Error()) {
		t.Errorf("no word about the database:\n%s", stderr.String())
	}
	if n := count(); n != 1 {
		t.Errorf("%d rows, want the one that was committed", n)
	}
}
