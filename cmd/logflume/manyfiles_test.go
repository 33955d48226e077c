package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"logflume/internal/testkit"
	"logflume/schema"
)

const (
	manyFiles  = 1000
	manyRounds = 8 // lines that are written to each
)

// A manyRig is a thousand files and the program that reads them into a schema of its own.
type manyRig struct {
	*testing.T
	dir     string
	config  string
	address string // of the telemetry
	conn    *pgx.Conn
	command *exec.Cmd
}

func newManyRig(t *testing.T) *manyRig {
	t.Helper()
	db := testkit.Postgres(t)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	r := &manyRig{T: t, dir: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", port)}
	r.config = filepath.Join(r.dir, "logflume.yaml")
	text := fmt.Sprintf("sources: [{file: {paths: [%q]}}]\nflush: {interval: 100ms}\nfiles: {grace: 1s}\ntelemetry: {listen: %q}\n"+
		"database: {url: %q, schema: %s}\n", filepath.Join(r.dir, "*.log"), r.address, db.URL, db.Schema)
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if r.conn, err = pgx.Connect(t.Context(), db.URL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.conn.Close(context.WithoutCancel(t.Context())) })
	r.exec("SET search_path = " + db.Schema)
	return r
}

func (r *manyRig) start() {
	r.Helper()
	r.command = exec.Command(testkit.Binary(r), "run", "--config", r.config)
	r.command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir}
	if err := r.command.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(r.kill)
}

// kill ends the program with SIGKILL, if it runs.
func (r *manyRig) kill() {
	_ = r.command.Process.Kill() // it may have ended
	_ = r.command.Wait()
}

func (r *manyRig) path(i int) string { return filepath.Join(r.dir, fmt.Sprintf("app-%d.log", i)) }

// write appends the line with number n to the i-th file.
func (r *manyRig) write(i, n int) error {
	f, err := os.OpenFile(r.path(i), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, `{"message":"%d of file %d"}`+"\n", n, i)
	return err
}

// writeAll appends the line with number n to each file.
func (r *manyRig) writeAll(n int) error {
	for i := range manyFiles {
		if err := r.write(i, n); err != nil {
			return err
		}
	}
	return nil
}

func (r *manyRig) exec(sql string) {
	r.Helper()
	if _, err := r.conn.Exec(r.Context(), sql); err != nil {
		r.Fatal(err)
	}
}

func (r *manyRig) count(sql string) (n int) {
	r.Helper()
	if err := r.conn.QueryRow(r.Context(), sql).Scan(&n); err != nil {
		r.Fatal(err)
	}
	return n
}

func (r *manyRig) awaitEvents(n int) {
	r.Helper()
	testkit.Eventually(r, fmt.Sprintf("%d events", n), func() bool { return r.count("SELECT count(*)::int FROM log_events") >= n })
}

// metric returns a value from /metrics, or -1 when there is none.
func (r *manyRig) metric(series string) int {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://"+r.address+"/metrics", nil)
	if err != nil {
		r.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return -1
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body) // what came of it
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (\S+)$`).FindSubmatch(text)
	if m == nil {
		return -1
	}
	value, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		r.Fatal(err)
	}
	return int(value)
}

// descriptors returns how many the program has open, or -1 where /proc does not tell.
func (r *manyRig) descriptors() int {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", r.command.Process.Pid))
	if err != nil {
		return -1
	}
	return len(list)
}

// An idle file costs a descriptor and no goroutine, a line that is added to it is stored, and what goes with the file is
// given back.
func TestManyIdleFiles(t *testing.T) {
	t.Parallel()
	r := newManyRig(t)
	if err := r.writeAll(0); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.awaitEvents(manyFiles)
	if n := r.count("SELECT count(DISTINCT message)::int FROM log_events"); n != manyFiles {
		t.Errorf("%d different lines", n)
	}
	const others = 50 // descriptors and goroutines of everything else
	testkit.Eventually(t, "no file has a goroutine", func() bool {
		n := r.metric("go_goroutine_count")
		return n > 0 && n <= others
	})
	if n := r.metric(`logflume_files{state="open"}`); n != manyFiles {
		t.Errorf("%d files are open", n)
	}
	if n := r.descriptors(); n >= 0 && (n < manyFiles || n > manyFiles+others) {
		t.Errorf("%d descriptors", n)
	}

	for i := 0; i < manyFiles; i += 100 {
		if err := r.write(i, 1); err != nil {
			t.Fatal(err)
		}
	}
	r.awaitEvents(manyFiles + manyFiles/100)

	for i := range manyFiles / 2 {
		if err := os.Remove(r.path(i)); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, "the rows of removed files are closed", func() bool {
		return r.count("SELECT count(*)::int FROM log_positions WHERE meta @> '{\"closed\": true}'") == manyFiles/2
	})
	testkit.Eventually(t, "removed files are let go", func() bool {
		return r.metric(`logflume_files{state="open"}`) == manyFiles/2 && r.descriptors() <= manyFiles/2+others
	})
}

// A thousand files that are all written to, and the program killed: each line is stored once.
func TestManyBusyFiles(t *testing.T) {
	t.Parallel()
	r := newManyRig(t)
	ended := make(chan error, 1)
	go func() {
		for n := range manyRounds {
			if err := r.writeAll(n); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	r.start()
	for _, at := range []int{manyFiles / 2, 2 * manyFiles, 5 * manyFiles} {
		r.awaitEvents(at)
		r.kill()
		r.start()
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	r.awaitEvents(manyFiles * manyRounds)
	// A process that has hardly begun cannot answer signals yet.
	testkit.Eventually(t, "the last process answers", func() bool { return r.metric("go_goroutine_count") > 0 })
	if err := r.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := r.command.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	for what, want := range map[string]int{
		"SELECT count(*)::int FROM log_events":                                               manyFiles * manyRounds,
		"SELECT count(DISTINCT message)::int FROM log_events":                                manyFiles * manyRounds,
		"SELECT count(*)::int FROM log_positions":                                            manyFiles,
		"SELECT sum(kept)::int FROM source_ledger WHERE balanced":                            manyFiles * manyRounds,
		"SELECT count(DISTINCT source_id)::int FROM log_events":                              manyFiles,
		"SELECT count(*)::int FROM source_ledger WHERE NOT balanced":                         0,
		"SELECT coalesce(sum(lost_bytes), 0)::int FROM log_positions":                        0,
		"SELECT coalesce(sum(dead), 0)::int FROM log_positions":                              0,
		"SELECT count(*)::int FROM log_positions WHERE lines <> " + strconv.Itoa(manyRounds): 0,
	} {
		if n := r.count(what); n != want {
			t.Errorf("%s: %d, want %d", what, n, want)
		}
	}
}
