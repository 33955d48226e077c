package chaos

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/privatepg"
	"logflume/internal/testkit"
	"logflume/schema"
)

// A Rig is one run of a scenario.
type Rig struct {
	Size Size
	Logs string // where the writers write

	t       testing.TB
	random  *rand.Rand
	dir     string
	input   string            // YAML of the source that is configured
	form    Form              // of the lines
	account Account           // what was written besides the lines
	config  string            // path of the configuration
	program string            // path of logflume
	wrapper []string          // command that runs it; nil for none
	server  *privatepg.Server // nil when the run shares one, which must not be stopped
	url     string
	through string // URL by which instances reach the database; "" for url
	listen  string // where instances answer /readyz and /metrics; "" for nowhere
	schema  string
	began   time.Time
	conn    *pgx.Conn // nil while there is none

	writers    []*Writer
	unexpected chan error // an instance ended by itself
	figures    []figure   // further ones for the report

	memory, descriptors atomic.Int64 // the most that an instance held, in KiB and open files
	maxMemory           int64        // KiB
	mostFiles           int64        // that there were at once when they were counted

	starts, kills, stops, restarts int
	progressed                     int   // kills before which rows had been committed since the last one
	stored                         int64 // events, when last looked
	storedAtKill                   int64
}

// NewRig prepares a run of the program on a schema of the server that tests share.
func NewRig(t testing.TB, size Size, program string) *Rig {
	t.Helper()
	db := testkit.Postgres(t)
	return newRig(t, size, program, nil, db.URL, db.Schema)
}

// NewCrashRig prepares a run of the program on a server of its own, which it may stop.
func NewCrashRig(t testing.TB, size Size, program string) *Rig {
	t.Helper()
	server := testkit.Server(t, privatepg.Options{})
	return newRig(t, size, program, server, server.URL("postgres"), "logs")
}

func newRig(t testing.TB, size Size, program string, server *privatepg.Server, url, schemaName string) *Rig {
	t.Helper()
	r := &Rig{
		Size: size, t: t, random: newRandom(t), dir: t.TempDir(), program: program, began: time.Now(),
		server: server, url: url, schema: schemaName, unexpected: make(chan error, 1),
		form: ServiceLines, maxMemory: maxFileMemory,
	}
	r.Logs, r.config = filepath.Join(r.dir, "logs"), filepath.Join(r.dir, "logflume.yaml")
	r.noteStored(0)
	r.Watch()
	if err := os.Mkdir(r.Logs, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, _, err := schema.Migrate(t.Context(), url, schemaName); err != nil {
		t.Fatal(err)
	}
	r.Configure(oftenFlushed)
	t.Cleanup(r.disconnect)
	return r
}

// oftenFlushed is the configuration of most runs, besides what all have.
const oftenFlushed = "flush: {interval: 100ms}"

// Watch has the instances read the files in the directory of logs that have .log in their names, and those further ones
// that the patterns match, which begin there.
func (r *Rig) Watch(patterns ...string) {
	paths := []string{strconv.Quote(filepath.Join(r.Logs, "*.log*"))}
	for _, pattern := range patterns {
		paths = append(paths, strconv.Quote(filepath.Join(r.Logs, pattern)))
	}
	r.input = fmt.Sprintf("file: {paths: [%s]}", strings.Join(paths, ", "))
}

// Configure writes the configuration; more is added to it.
func (r *Rig) Configure(more string) {
	r.t.Helper()
	text := fmt.Sprintf(`host: chaos
database: {url: %q, schema: %s}
sources:
  - %s
telemetry: {listen: %q}
%s`, cmp.Or(r.through, r.url), r.schema, r.input, r.listen, more)
	if err := os.WriteFile(r.config, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// expected returns how many lines all writers together write.
func (r *Rig) expected() (lines int64) {
	for _, w := range r.writers {
		lines += int64(w.Lines)
	}
	return lines
}

// look notes how many events are stored, if the database is there, and compacts a little.
func (r *Rig) look() {
	ctx, cancel := context.WithTimeout(r.t.Context(), 5*time.Second)
	defer cancel()
	var err error
	if r.conn == nil {
		if r.conn, err = pgx.Connect(ctx, r.url); err != nil {
			r.conn = nil
			return
		}
	}
	var events int64
	err = r.conn.QueryRow(ctx, "select coalesce(sum(events), 0)::bigint from "+r.schema+".log_positions").Scan(&events)
	if err == nil {
		err = r.compact(ctx)
	}
	if err != nil {
		r.disconnect()
		return
	}
	if events != r.stored || r.stored == 0 {
		r.noteStored(events)
	}
	r.stored = events
}

// noteStored tells writers that wait for it how many events are stored.
func (r *Rig) noteStored(events int64) {
	if err := os.WriteFile(r.storedPath(), []byte(strconv.FormatInt(events, 10)), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *Rig) storedPath() string { return filepath.Join(r.dir, "stored") }

// compact does a step of compaction that waits for no window or hour to end, so that compaction is at work during the
// whole run, and most shares are late ones.
func (r *Rig) compact(ctx context.Context) error {
	_, err := r.conn.Exec(ctx, fmt.Sprintf("select %[1]s.fold_windows('infinity', 20), %[1]s.roll_hour('infinity', 20)", r.schema))
	return err
}

func (r *Rig) disconnect() {
	if r.conn != nil {
		r.conn.Close(context.Background())
		r.conn = nil
	}
}

// Pause lets the run go on for d. It ends early, failing the test, when an instance ended by itself.
func (r *Rig) Pause(d time.Duration) {
	r.t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case err := <-r.unexpected:
		r.t.Fatal(err)
	}
}

// upTo returns a random time from 0 to d.
func (r *Rig) upTo(d time.Duration) time.Duration { return time.Duration(r.random.Int64N(int64(d))) }

const (
	interval = 10 * time.Millisecond // between two looks at the database
	quiet    = 20 * time.Second      // without a new row for this long, no more are coming: above the 15 s of a rescan
)

// Progress waits until more events are stored than when it was last looked, at most d, and reports whether they are.
func (r *Rig) Progress(d time.Duration) bool {
	r.t.Helper()
	before := r.stored
	for end := time.Now().Add(d); time.Now().Before(end); r.Pause(interval) {
		if r.look(); r.stored > before {
			return true
		}
	}
	return false
}

// Settle waits until all lines are stored, or no more come. The writers have ended.
func (r *Rig) Settle() {
	r.t.Helper()
	gone := r.written().gone()
	for r.look(); r.stored < r.expected()-gone; {
		if !r.Progress(quiet) {
			return
		}
	}
	if gone > 0 {
		r.settleAllButGone()
	}
}

// settleAllButGone waits until no line is missing but those that are gone, of which some may be stored.
func (r *Rig) settleAllButGone() {
	r.t.Helper()
	conn := testkit.Connect(r.t, r.url)
	for end := time.Now().Add(quiet); time.Now().Before(end); r.Pause(10 * interval) {
		v, err := Check(r.t.Context(), conn, r.schema, r.form, r.written())
		if err != nil {
			r.t.Fatal(err)
		}
		if v.Missing == 0 {
			return
		}
		before := r.stored
		if r.look(); r.stored > before {
			end = time.Now().Add(quiet)
		}
	}
}

// Again runs the program once more on the same files, which must add nothing but the one line of a new file.
func (r *Rig) Again() {
	r.t.Helper()
	i := r.Start()
	r.startWriter("last", 1, testkit.Program(r.t, "./internal/chaos/writers/slogwriter"), "-dir", r.Logs, "-name", "last", "-lines", "1")
	r.WaitWriters()
	r.Settle()
	i.Terminate()
}
