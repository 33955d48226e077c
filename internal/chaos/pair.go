package chaos

import (
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/testkit"
)

// A Pair is a run with two instances on the same files. One of them writes what the other one then finds written, and stands
// by: which one may change at any time, and be another one for each file.
type Pair struct {
	*Rig
	sides [2]*side
	looks *pgx.Conn
	waits []time.Duration // from each loss of a writer until the other one had gone on with what it held; sorted
}

// A side is an instance with a proxy of its own.
type side struct {
	*Instance
	proxy *testkit.FaultyProxy
	url   string // through the proxy
}

// Pair starts two instances.
func (r *Rig) Pair() *Pair {
	r.t.Helper()
	p := &Pair{Rig: r, looks: testkit.Connect(r.t, r.url)}
	for n := range p.sides {
		s := &side{}
		s.proxy, s.url = testkit.ProxyURL(r.t, r.url)
		p.sides[n] = s
		p.start(s)
	}
	return p
}

// start starts the instance of a side, and returns when it has read its configuration, which is then another one's.
func (p *Pair) start(s *side) {
	p.t.Helper()
	p.through = s.url
	p.Configure(oftenFlushed)
	s.Instance = p.Start()
	testkit.Eventually(p.t, "logflume has read its configuration", func() bool { return s.ended() || s.logTail() != "" })
}

// keepWriting makes sure that there is something to store, in files that live long enough for one instance to stand by.
func (p *Pair) keepWriting() {
	p.t.Helper()
	p.KeepWriting("-rotate", "5s")
}

// held is a position that a transaction moves which is not committed.
type held struct {
	Source   int32
	Position int64 // the committed one
}

// hold waits until either instance is in the middle of a COPY and keeps it there. It returns that one and the
// positions that are held.
func (p *Pair) hold() (writer *side, positions []held) {
	p.t.Helper()
	for _, s := range p.sides {
		s.proxy.HoldInCopy()
	}
	testkit.EventuallyWithin(p.t, longPatience, "an instance is in the middle of a COPY", func() bool {
		p.keepWriting()
		n := slices.IndexFunc(p.sides[:], func(s *side) bool { return s.proxy.Held() != 0 })
		if n >= 0 {
			writer = p.sides[n]
			p.sides[1-n].proxy.Release()
		}
		return n >= 0
	})
	testkit.EventuallyWithin(p.t, longPatience, "its session is in the middle of a COPY and holds positions", func() bool {
		positions = p.heldBy(writer.proxy.Held())
		return len(positions) > 0
	})
	return writer, positions
}

// heldBy returns the positions that a session holds which is in a COPY; none when it is not.
func (p *Pair) heldBy(session int) []held {
	p.t.Helper()
	rows, err := p.looks.Query(p.t.Context(), fmt.Sprintf(`select p.source_id, p.position from %s.log_positions p
		join pg_locks l on l.locktype = 'transactionid' and l.transactionid = p.xmax and l.granted
		join pg_stat_progress_copy using (pid) where pid = $1`, p.schema), session)
	if err != nil {
		p.t.Fatal(err)
	}
	positions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[held])
	if err != nil {
		p.t.Fatal(err)
	}
	return positions
}

// awaitOther waits until a position that a writer held is further than it was: until the other one goes on. It need not be
// each, for a transaction also locks what it then finds moved, and of that there may be no more to come.
func (p *Pair) awaitOther(positions []held) {
	p.t.Helper()
	began := time.Now()
	sources, from := make([]int32, len(positions)), make([]int64, len(positions))
	for n, h := range positions {
		sources[n], from[n] = h.Source, h.Position
	}
	sql := fmt.Sprintf(`select exists (select from unnest($1::integer[], $2::bigint[]) h(source_id, "from")
		join %s.log_positions p using (source_id) where p.position > "from")`, p.schema)
	testkit.EventuallyWithin(p.t, longPatience, "the other instance goes on", func() bool {
		p.keepWriting()
		var further bool
		if err := p.looks.QueryRow(p.t.Context(), sql, sources, from).Scan(&further); err != nil {
			p.t.Fatal(err)
		}
		return further
	})
	p.note(time.Since(began))
}

// FreezeLoop freezes the instance that writes in the middle of a COPY, so often, and lets it go on some time after the other
// one has taken its place. The next one to be frozen is whichever writes then.
func (p *Pair) FreezeLoop(freezes int) {
	p.t.Helper()
	for range freezes {
		p.keepWriting()
		p.Progress(5 * time.Second)
		writer, positions := p.hold()
		session := writer.proxy.Held()
		writer.freeze()
		p.awaitOther(positions)
		p.requireGone(session)
		p.Pause(p.upTo(time.Second))
		writer.proxy.Release()
		writer.thaw()
	}
}

// requireGone fails the test if there is still that session of the server's.
func (p *Pair) requireGone(session int) {
	p.t.Helper()
	var there bool
	err := p.looks.QueryRow(p.t.Context(), "select exists (select from pg_stat_activity where pid = $1)", session).Scan(&there)
	if err != nil || there {
		p.t.Errorf("the frozen instance still has the session that holds positions: %v, %v", there, err)
	}
}

// KillLoop kills the instance that writes in the middle of a COPY, so often, and starts it again when the other one has
// taken its place.
func (p *Pair) KillLoop(kills int) {
	p.t.Helper()
	for range kills {
		p.keepWriting()
		p.Progress(5 * time.Second)
		writer, positions := p.hold()
		p.killOnly(writer.Instance)
		writer.proxy.Cut() // what the kernel does for one without a proxy
		writer.proxy.Release()
		p.awaitOther(positions)
		p.start(writer)
	}
}

// Instances returns both that run now.
func (p *Pair) Instances() []*Instance { return []*Instance{p.sides[0].Instance, p.sides[1].Instance} }

// note keeps how long it took until another instance went on, for the report.
func (p *Pair) note(wait time.Duration) {
	p.waits = append(p.waits, wait.Round(time.Millisecond))
	slices.Sort(p.waits)
	n := len(p.waits)
	p.figures = []figure{
		{"losses of the writer", n}, {"least until another goes on", p.waits[0]}, {"median", p.waits[n/2]}, {"most", p.waits[n-1]},
	}
}
