package chaos

import (
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/testkit"
	"logflume/schema"
)

// writerRole is the login of instances in runs that take rights away.
const writerRole = "chaos_writer"

// Troubles is a run on a server of its own, which refuses to do its part in many ways.
type Troubles struct {
	*Rig
	admin *pgx.Conn      // of a superuser, whom none of it concerns
	times map[string]int // how often instances met each SQLSTATE
}

// Troubles has the instances that are started from now on log in as a role that may do what a writer may and no more, and
// answer /readyz.
func (r *Rig) Troubles() *Troubles {
	r.t.Helper()
	t := &Troubles{Rig: r, admin: testkit.Connect(r.t, r.url), times: map[string]int{}}
	if err := schema.Roles(r.t.Context(), r.url, r.schema); err != nil {
		r.t.Fatal(err)
	}
	t.exec("create role " + writerRole + " login in role log_writer")
	t.exec("set default_transaction_read_only = off") // also while that of the server is on
	login, err := url.Parse(r.url)
	if err != nil {
		r.t.Fatal(err)
	}
	login.User = url.User(writerRole)
	r.through = login.String()
	r.Answering()
	return t
}

// exec runs a statement in the schema, whose name stands where the text has an @.
func (t *Troubles) exec(sql string) {
	t.t.Helper()
	if _, err := t.admin.Exec(t.t.Context(), strings.ReplaceAll(sql, "@", t.schema+".")); err != nil {
		t.t.Fatalf("%s: %v", sql, err)
	}
}

// endSessions ends all sessions of the instances.
func (t *Troubles) endSessions() {
	t.exec("select pg_terminate_backend(pid) from pg_stat_activity where usename = '" + writerRole + "'")
}

// A trouble lasts from its begin to its end.
type trouble struct {
	state      string // the SQLSTATE that instances meet
	begin, end func()
}

// altered is a trouble that one statement begins and another one ends.
func (t *Troubles) altered(state, begin, end string) trouble {
	return trouble{state, func() { t.exec(begin) }, func() { t.exec(end) }}
}

// refusedLogin is an altered one that sessions meet when they are made.
func (t *Troubles) refusedLogin(state, begin, end string) trouble {
	return trouble{state, func() { t.exec(begin); t.endSessions() }, func() { t.exec(end) }}
}

// passing returns the troubles after which instances try again at once.
func (t *Troubles) passing() []trouble {
	return []trouble{
		t.altered("55P03", "begin; alter table @log_events add column note_of_operator text", "rollback"),
		t.refusedLogin("53300", "alter role "+writerRole+" connection limit 0", "alter role "+writerRole+" connection limit -1"),
		{
			"25006",
			func() {
				t.exec("alter system set default_transaction_read_only = on")
				t.exec("select pg_reload_conf()")
			},
			func() { t.exec("alter system reset default_transaction_read_only"); t.exec("select pg_reload_conf()") },
		},
	}
}

// lasting returns the troubles that somebody has to repair, after which instances try again every 30 s.
func (t *Troubles) lasting() []trouble {
	return []trouble{
		t.altered("42501", "revoke insert on @log_events from log_writer", "grant insert on @log_events to log_writer"),
		t.altered("42P01", "alter table @log_analytics rename to away", "alter table @away rename to log_analytics"),
		t.altered("42703", "alter table @log_events rename trace_id to away", "alter table @log_events rename away to trace_id"),
		t.refusedLogin("28000", "alter role "+writerRole+" nologin", "alter role "+writerRole+" login"),
	}
}

// PassingLoop gives the instance every trouble that passes, so often, in random order. Every second time it is killed and
// started again in the middle of that. It returns the instance that is left.
func (t *Troubles) PassingLoop(i *Instance, rounds int) *Instance {
	t.t.Helper()
	n := 0
	for range rounds {
		all := t.passing()
		for _, which := range t.random.Perm(len(all)) {
			t.begin(i, all[which])
			if n++; n%2 == 0 {
				i = t.kill(i)
				i.awaitNotReady(all[which].state)
			}
			t.Pause(t.upTo(time.Second))
			all[which].end()
			i.awaitReady()
		}
	}
	return i
}

// LastingLoop gives the instance so many troubles that last, in random order. When one is over, every second time somebody
// kills it and starts it again, for whom the tries are too rare. It returns the instance that is left.
func (t *Troubles) LastingLoop(i *Instance, times int) *Instance {
	t.t.Helper()
	all := t.lasting()
	order := t.random.Perm(len(all))
	for n := range times {
		now := all[order[n%len(all)]]
		t.begin(i, now)
		t.Pause(t.upTo(time.Second))
		now.end()
		if n%2 == 0 {
			i = t.kill(i)
		}
		i.awaitReady()
	}
	return i
}

// begin begins a trouble while lines are stored, and waits until the instance says that it met it.
func (t *Troubles) begin(i *Instance, now trouble) {
	t.t.Helper()
	i.awaitReady()
	t.KeepWriting()
	t.Progress(5 * time.Second)
	t.Pause(t.upTo(300 * time.Millisecond))
	now.begin()
	i.awaitNotReady(now.state)
	t.note(now.state, 1)
}

// note counts for the report.
func (t *Troubles) note(state string, times int) {
	t.times[state] += times
	t.figures = counted(t.times)
}

// awaitNotReady waits until /readyz names this SQLSTATE.
func (i *Instance) awaitNotReady(state string) {
	i.rig.t.Helper()
	var answer string
	defer func() {
		if i.rig.t.Failed() {
			i.rig.t.Logf("instead of %s /readyz says %s", state, answer)
		}
	}()
	testkit.EventuallyWithin(i.rig.t, longPatience, "/readyz names SQLSTATE "+state, func() bool {
		i.rig.KeepWriting()
		var ready bool
		ready, answer = i.ready()
		return !ready && strings.Contains(answer, state)
	})
}

// Momentary gives the instances each trouble that hits one transaction, at random times, until it was logged so often.
func (t *Troubles) Momentary(times int) {
	t.t.Helper()
	for _, now := range []struct {
		state string
		hit   func()
	}{
		{"57014", func() {
			t.exec("select pg_cancel_backend(pid) from pg_stat_activity where usename = '" + writerRole + "' and state = 'active'")
		}},
		{"57P01", t.endSessions},
		{"40P01", t.deadlock},
	} {
		for range times {
			before := t.met(now.state)
			testkit.EventuallyWithin(t.t, longPatience, "SQLSTATE "+now.state+" is met", func() bool {
				t.KeepWriting()
				t.Progress(5 * time.Second) // what fails again before it has worked is not logged again
				t.Pause(t.upTo(100 * time.Millisecond))
				now.hit()
				return t.met(now.state) > before
			})
			t.note(now.state, 1)
		}
	}
}

// deadlock makes a transaction of the instance wait for one of ours that waits for it, so that the server ends the former.
func (t *Troubles) deadlock() {
	t.t.Helper()
	conn := testkit.Connect(t.t, t.url)
	defer conn.Close(t.t.Context())
	exec := func(sql string) {
		if _, err := conn.Exec(t.t.Context(), strings.ReplaceAll(sql, "@", t.schema+".")); err != nil {
			t.t.Fatalf("%s: %v", sql, err)
		}
	}
	// Who finds a deadlock is ended: the instance waits for less long than we do before it looks.
	exec("begin; set local deadlock_timeout = '10min'; lock table @log_events in exclusive mode")
	testkit.EventuallyWithin(t.t, longPatience, "the instance waits for our lock", func() (waits bool) {
		t.KeepWriting()
		err := t.admin.QueryRow(t.t.Context(), `select exists (select from pg_locks join pg_stat_activity using (pid)
			where not granted and relation = $1::regclass and usename = $2)`, t.schema+".log_events", writerRole).Scan(&waits)
		if err != nil {
			t.t.Fatal(err)
		}
		return waits
	})
	exec("select from @log_positions for update")
	exec("rollback")
}
