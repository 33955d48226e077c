package deployment

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/testkit"
	"logflume/schema"
)

// A corpus is what two services logged, read by the real program into a real database.
type corpus struct {
	db     testkit.DB
	now    time.Time // when it was written
	events []logged
}

// A logged is one line of it.
type logged struct {
	at             time.Time
	service        string
	request, error bool
}

// written counts events of a range, as windows do: whole minutes.
func (c *corpus) written(from, to time.Time, service string, which func(logged) bool) (n int) {
	for _, e := range c.events {
		if at := e.at.Truncate(time.Minute); !at.Before(from) && at.Before(to) && (service == "" || e.service == service) && which(e) {
			n++
		}
	}
	return n
}

// newCorpus imports what was logged long ago and today, has retention take the minutes of what is older than a week, and
// leaves a service running that reads what came last.
func newCorpus(t *testing.T) *corpus {
	t.Helper()
	c := &corpus{db: testkit.Postgres(t), now: time.Now().UTC().Truncate(time.Minute)}
	if _, _, err := schema.Migrate(t.Context(), c.db.URL, c.db.Schema); err != nil {
		t.Fatal(err)
	}
	if err := schema.Roles(t.Context(), c.db.URL, c.db.Schema); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "logflume.yaml")
	write(t, config, fmt.Sprintf("host: deployment\ndatabase: {url: %q, schema: %s}\nanalyze: {slow_request: 100ms}\n"+
		"sources: [{file: {paths: [%q]}}]\ntelemetry: {listen: ''}\n", c.db.URL, c.db.Schema, dir+"/*.log"))

	var old, recent strings.Builder
	for _, age := range []time.Duration{50, 29, 20, 8, 3, 1} {
		for i := range 40 {
			c.line(&old, c.now.Add(-age*24*time.Hour+time.Duration(i)*11*time.Minute), i)
		}
	}
	for i := range 120 { // the last two hours, but for the last minute
		c.line(&recent, c.now.Add(-time.Duration(i+2)*time.Minute), i)
	}
	write(t, filepath.Join(dir, "old.log"), old.String())
	if out, err := exec.CommandContext(t.Context(), testkit.Binary(t), "import", "--config", config, dir+"/old.log").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	conn := c.db.Connect(t)
	if _, err := conn.Exec(t.Context(), "SELECT "+c.db.Schema+".drop_expired('1000 days')"); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "recent.log"), recent.String())
	start(t, "run", "--config", config)
	testkit.EventuallyWithin(t, 2*time.Minute, "all lines are stored, and a heartbeat", func() bool {
		var stored, instances int
		err := conn.QueryRow(t.Context(), fmt.Sprintf(`SELECT (SELECT sum(analysed) FROM %[1]s.source_ledger)::bigint,
			(SELECT count(*) FROM %[1]s.log_instances)`, c.db.Schema)).Scan(&stored, &instances)
		if err != nil {
			t.Fatal(err)
		}
		return stored == len(c.events) && instances > 0
	})
	return c
}

// line writes one line, or two: a request, now and then an error, an error without level, and one that cannot be an event.
func (c *corpus) line(to *strings.Builder, at time.Time, n int) {
	service := []string{"checkout", "payments", "it's"}[n%3]
	e := logged{at: at, service: service, request: true, error: n%5 == 0}
	status, level, message := 200, "INFO", "handled"
	if e.error {
		status, level, message = 500, "ERROR", fmt.Sprintf("order %d could not be placed", 1000+n)
	}
	fmt.Fprintf(to, `{"timestamp":%q,"level":%q,"service":%q,"message":%q,"endpoint":"/orders/%d","method":"POST","status":%d,`+
		`"response_time":%d,"user_id":"u%d","tenant_id":"t%d","trace_id":"%016x"}`+"\n",
		at.Format(time.RFC3339Nano), level, service, message, n, status, 20+n*2, n%9, n%3, n)
	c.events = append(c.events, e)
	switch n % 20 {
	case 7:
		fmt.Fprintf(to, `{"timestamp":%q,"message":"worker %d died","exception":"ValueError: x"}`+"\n", at.Format(time.RFC3339Nano), n)
		c.events = append(c.events, logged{at: at, error: true})
	case 9:
		to.WriteString(`{"cut o` + "\n")
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// start starts the program, which is told to end when the test ends.
func start(t *testing.T, args ...string) {
	t.Helper()
	command := exec.Command(testkit.Binary(t), args...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	log := &strings.Builder{}
	command.Stderr = log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := command.Wait(); err != nil {
			t.Errorf("%v\n%s", err, log)
		}
	})
}

// reader returns a connection of Grafana's role, in a zone whose hours are not UTC's.
func (c *corpus) reader(t *testing.T) *pgx.Conn {
	t.Helper()
	conn := c.db.Connect(t)
	for _, statement := range []string{
		"SET search_path = pg_catalog", "SET timezone = 'America/St_Johns'", "SET default_transaction_read_only = on",
		"SET statement_timeout = '2min'", "SET jit = off", "SET SESSION AUTHORIZATION log_reader",
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}
