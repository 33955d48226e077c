package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/privatepg"
	"logflume/internal/testkit"
	"logflume/schema"
)

// role makes a login that may do what a writer may and returns the URL for it.
func (r *rig) role(attributes string) (name, url string) {
	r.Helper()
	if err := schema.Roles(r.Context(), r.db.URL, r.db.Schema); err != nil {
		r.Fatal(err)
	}
	name = "w_" + r.db.Schema
	r.exec("CREATE ROLE " + name + " LOGIN IN ROLE log_writer " + attributes)
	r.Cleanup(func() { r.exec("DROP ROLE " + name) })
	return name, r.urlOf(name, "")
}

// half returns a feed of 1000 lines that stops in the middle until the gate is lifted.
func half(g *gate) *feed {
	return &feed{key: "a", lines: 1000, batch: 50, line: number, gate: func(ctx context.Context, position int64) {
		if position == 500 {
			g.wait(ctx)
		}
	}}
}

// A writer needs no more than its role: it fills tables, makes partitions, finds holders, heals.
func TestWriterRoleSuffices(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, url := r.role("")
	s := r.sink(func(o *Options) { o.URL, o.Retention = url, 30*24*time.Hour })
	f := &feed{key: "a", lines: 500, batch: 50, line: func(n int64) string {
		return number(n) + []string{";t=-40", ";a={", ";x=3", ";d"}[n%4]
	}}
	if err := r.run(t.Context(), s, f); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(f)
	for _, d := range s.duties() {
		for _, c := range d.chores {
			if s.attend(t.Context(), d.conn, c); !s.state.isProven(c.name) {
				t.Errorf("%s: %+v", c.name, s.Health())
			}
		}
		d.conn.close()
	}
}

// A fault that lasts for a while: shown by the health, logged once when it comes and once when it goes, survived.
func TestFaultsThatPass(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		class       Class
		break_, fix func(r *rig, role string)
	}{
		"right revoked": {Misconfigured,
			func(r *rig, role string) { r.exec("REVOKE INSERT ON @log_events FROM log_writer") },
			func(r *rig, role string) { r.exec("GRANT INSERT ON @log_events TO log_writer") },
		},
		"table renamed": {Misconfigured,
			func(r *rig, role string) { r.exec("ALTER TABLE @log_analytics RENAME TO away") },
			func(r *rig, role string) { r.exec("ALTER TABLE @away RENAME TO log_analytics") },
		},
		"column of another type": {Misconfigured, // nobody's data is to blame
			func(r *rig, role string) { r.exec("ALTER TABLE @log_events ALTER status TYPE bigint") },
			func(r *rig, role string) { r.exec("ALTER TABLE @log_events ALTER status TYPE smallint") },
		},
		"login refused": {Misconfigured,
			func(r *rig, role string) { r.exec("ALTER ROLE " + role + " NOLOGIN"); r.disconnect(role) },
			func(r *rig, role string) { r.exec("ALTER ROLE " + role + " LOGIN") },
		},
		"no connection left": {Overloaded,
			func(r *rig, role string) { r.exec("ALTER ROLE " + role + " CONNECTION LIMIT 0"); r.disconnect(role) },
			func(r *rig, role string) { r.exec("ALTER ROLE " + role + " CONNECTION LIMIT -1") },
		},
		"read-only": {ReadOnly,
			func(r *rig, role string) {
				r.exec("ALTER ROLE " + role + " SET default_transaction_read_only = on")
				r.disconnect(role)
			},
			func(r *rig, role string) { r.exec("ALTER ROLE " + role + " RESET default_transaction_read_only") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			role, url := r.role("")
			s := r.sink(func(o *Options) { o.URL = url })
			more := newGate(t)
			line := number
			if name == "column of another type" {
				line = func(n int64) string { return number(n) + ";s=200" }
			}
			f := half(more)
			f.line = line
			_, wait := r.start(t.Context(), s, f)
			testkit.Eventually(t, "the first half is stored", func() bool { return r.stored("a") == 500 })
			c.break_(r, role)
			more.lift()
			testkit.Eventually(t, "the health shows the fault", func() bool { return meets(s.Health(), c.class) })
			errors := s.options.Stats.FlushErrors.Load()
			testkit.Eventually(t, "it was tried again", func() bool { return s.options.Stats.FlushErrors.Load() > errors+2 })
			c.fix(r, role)
			if err := wait(); err != nil {
				t.Fatal(err)
			}
			r.exactlyOnce(f)
			if n := len(r.letters()); n != 0 {
				t.Errorf("%d dead letters for a fault of the database", n)
			}
			for _, state := range []Class{c.class, Unreachable} { // losing the connection may be how it begins
				if n := strings.Count(r.log.String(), fmt.Sprintf("state=%q", state)) + strings.Count(r.log.String(), fmt.Sprintf("state=%s ", state)); n > 1 {
					t.Errorf("%v logged %d times", state, n)
				}
			}
			if up := strings.Count(r.log.String(), "works again"); up != 1 {
				t.Errorf("logged %d times that it works", up)
			}
			if h := s.Health(); len(h.Faults) > 0 {
				t.Errorf("%+v", h)
			}
		})
	}
}

// disconnect ends a role's sessions.
func (r *rig) disconnect(role string) {
	r.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)
}

// What is wrong from the start is told at once.
func TestFaultsAtStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		alter func(r *rig, o *Options)
		code  string
	}{
		"no such role": {func(r *rig, o *Options) { o.URL = r.urlOf("nobody", "") }, "28000"},
		"no database":  {func(r *rig, o *Options) { o.URL = r.urlOf("", "nothing") }, "3D000"},
		"no schema":    {func(r *rig, o *Options) { o.Schema = "nothing" }, "3F000"},
		"no rights": {func(r *rig, o *Options) {
			name := "n_" + r.db.Schema
			r.exec("CREATE ROLE " + name + " LOGIN")
			r.Cleanup(func() { r.exec("DROP ROLE " + name) })
			o.URL = r.urlOf(name, "")
		}, "42501"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := r.sink(func(o *Options) { c.alter(r, o) })
			err := r.run(t.Context(), s, &feed{key: "a", lines: 10, batch: 10, line: number})
			if sqlState(err) != c.code || Classify(err) != Misconfigured {
				t.Errorf("%v", err)
			}
		})
	}
}

// What goes wrong between a check of the database and the first commit is waited for.
func TestFaultAfterCheck(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	role, url := r.role("")
	s := r.sink(func(o *Options) { o.URL = url })
	s.Checked()
	r.exec("ALTER ROLE " + role + " NOLOGIN")
	f := &feed{key: "a", lines: 100, batch: 10, line: number}
	_, wait := r.start(t.Context(), s, f)
	testkit.Eventually(t, "the health shows the fault", func() bool { return meets(s.Health(), Misconfigured) })
	r.exec("ALTER ROLE " + role + " LOGIN")
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(f)
}

// Sessions are ended by an administrator, at random.
func TestTerminatedSessions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	random := rand.New(rand.NewPCG(1, 2))
	f := &feed{key: "a", lines: 20000, batch: 60, line: number}
	f.gate = func(ctx context.Context, position int64) {
		if random.IntN(20) == 0 {
			r.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", s.options.Application)
		}
	}
	if err := r.run(t.Context(), s, f); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(f)
	if s.options.Stats.FlushErrors.Load() == 0 {
		t.Error("no flush failed: nothing was tested")
	}
}

// The server is stopped the hard way and started again, several times.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	server := testkit.Server(t, privatepg.Options{})
	r := rigOn(t, testkit.DB{URL: server.URL("postgres"), Schema: "logs"})
	s := r.sink()
	const stops = 3
	f := &feed{key: "a", lines: 12000, batch: 60, line: number}
	var outage sync.WaitGroup
	f.gate = func(ctx context.Context, position int64) {
		if position == 0 || position%3000 != 0 {
			return
		}
		outage.Wait()
		if err := server.Stop(privatepg.Immediate); err != nil {
			t.Error(err)
		}
		outage.Go(func() { // while the feed goes on: what it sends is what the sink notices it by
			testkit.Eventually(t, "the sink noticed", func() bool { return meets(s.Health(), Unreachable) || ctx.Err() != nil })
			if err := server.Start(context.WithoutCancel(ctx)); err != nil {
				t.Error(err)
			}
		})
	}
	if err := r.run(t.Context(), s, f); err != nil {
		t.Fatal(err)
	}
	outage.Wait()
	conn, err := pgx.Connect(t.Context(), r.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	r.conn = conn // the first was lost with the server
	r.exactlyOnce(f)
	if n := strings.Count(r.log.String(), "trying again"); n != stops {
		t.Errorf("%d outages logged, %d were made", n, stops)
	}
}

// Time-outs and locks of the server roll a flush back; it is tried again.
func TestServerTimeouts(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]limits{
		"55P03": {lock: 10, statement: 60_000, idle: 30_000},
		"57014": {lock: 60_000, statement: 50, idle: 30_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := r.sink()
			s.writer.limits = l
			more := newGate(t)
			f := half(more)
			_, wait := r.start(t.Context(), s, f)
			testkit.Eventually(t, "the first half is stored", func() bool { return r.stored("a") == 500 })
			tx, err := r.db.Connect(t).Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), r.in("LOCK TABLE @log_events")); err != nil {
				t.Fatal(err)
			}
			more.lift()
			testkit.Eventually(t, "the health shows it", func() bool { return strings.Contains(fmt.Sprint(s.Health().Faults), name) })
			if err := tx.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := wait(); err != nil {
				t.Fatal(err)
			}
			r.exactlyOnce(f)
		})
	}
}

// A server that takes bytes and never answers is left after a time of ours.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	proxy, url := testkit.ProxyURL(t, r.db.URL)
	s := r.sink(func(o *Options) { o.URL = url })
	s.pace.call = 200 * time.Millisecond
	more := newGate(t)
	f := half(more)
	_, wait := r.start(t.Context(), s, f)
	testkit.Eventually(t, "the first half is stored", func() bool { return r.stored("a") == 500 })
	proxy.Stall(true)
	more.lift()
	testkit.Eventually(t, "a call was given up", func() bool { return s.options.Stats.FlushErrors.Load() > 0 })
	proxy.Stall(false)
	proxy.Cut()
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(f)
}
