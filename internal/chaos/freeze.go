package chaos

import (
	"fmt"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/testkit"
)

// freeze stops an instance with SIGSTOP: to others it is as one whose machine hangs.
func (i *Instance) freeze() { i.signal(syscall.SIGSTOP) }

// thaw lets a frozen instance go on.
func (i *Instance) thaw() { i.signal(syscall.SIGCONT) }

func (i *Instance) signal(s syscall.Signal) {
	i.rig.t.Helper()
	if err := i.command.Process.Signal(s); err != nil {
		i.rig.t.Fatalf("%s to logflume: %v\n%s", s, err, i.logTail())
	}
}

// FreezeLoop freezes any member while lines are written, as many times as the size demands, and lets it go on when the
// others have stored them all.
func (r *TopicRig) FreezeLoop() {
	r.t.Helper()
	for n := range r.Size.Freezes {
		r.AwaitGroup(len(r.members))
		r.Kcat(fmt.Sprintf("freeze%d", n))
		r.Progress(5 * time.Second)
		r.Pause(r.upTo(400 * time.Millisecond))
		frozen := r.members[r.random.IntN(len(r.members))]
		frozen.freeze()
		r.goOnWithoutOne()
		frozen.thaw()
		r.AwaitGroup(len(r.members))
	}
}

// FreezeInTransaction freezes the only member in the middle of a transaction, has two others take its place, and lets it
// go on when they have stored everything.
func (r *TopicRig) FreezeInTransaction() {
	r.t.Helper()
	r.Configure("flush: {interval: 20ms}") // most of the time in a transaction
	r.AddMembers(1)
	r.AwaitGroup(1)
	r.Kcat("freeze", "-z", "snappy")
	alone := r.members[0]
	conn := testkit.Connect(r.t, r.url)
	var session int32
	testkit.Eventually(r.t, "the member is frozen in a transaction that holds positions", func() bool {
		alone.freeze()
		if session = r.holder(conn); session == 0 {
			alone.thaw()
		}
		return session != 0
	})
	r.AddMembers(2)
	r.goOnWithoutOne()
	var there bool
	err := conn.QueryRow(r.t.Context(), "select exists (select from pg_stat_activity where pid = $1)", session).Scan(&there)
	if err != nil || there {
		r.t.Errorf("the frozen member still has the session that holds positions: %v, %v", there, err)
	}
	alone.thaw()
	r.AwaitGroup(len(r.members))
}

// goOnWithoutOne waits until the group is without the member that is frozen, and has stored all that is written.
func (r *TopicRig) goOnWithoutOne() {
	r.t.Helper()
	r.freezes++
	r.AwaitGroup(len(r.members) - 1)
	r.WaitWriters()
	r.Settle()
	if r.stored < r.expected() {
		r.t.Errorf("while a member was frozen the others stored %d lines of %d", r.stored, r.expected())
	}
}

// holder returns the process id of a session that holds positions and waits for its client to go on; 0 if there is none.
func (r *TopicRig) holder(conn *pgx.Conn) (pid int32) {
	r.t.Helper()
	err := conn.QueryRow(r.t.Context(), `select coalesce(max(a.pid), 0) from `+r.schema+`.log_positions p
		join pg_locks l on l.locktype = 'transactionid' and l.transactionid = p.xmax and l.granted
		join pg_stat_activity a on a.pid = l.pid and a.wait_event = 'ClientRead'`).Scan(&pid)
	if err != nil {
		r.t.Fatal(err)
	}
	return pid
}
