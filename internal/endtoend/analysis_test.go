package endtoend

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// What the program counted in windows, before and after its shares are folded and rolled up, and with lines that come
// late, must be what counting the rows gives, to the last event. That holds as well for a store that keeps few of the rows.
func TestAnalysisEqualsRows(t *testing.T) {
	t.Parallel()
	const settings = "flush: {rows: 700}" // so that windows have several shares
	all := newStore(t, settings)
	few := newStore(t, settings+"\n"+`filter: {keep: 'level in ["ERROR","CRITICAL"] or response_time > 1000'}`)
	g := &generator{random: rand.New(rand.NewPCG(1, 2))}
	for i := range 3 {
		path := all.file(fmt.Sprintf("%d.log", i), g.lines(1500))
		for _, s := range []*store{all, few} {
			s.importsBeside(path)
			s.lookAt(all)
			if i == 1 { // the third file comes late
				s.compact()
			}
		}
		all.requireFunctions(i == 1)
	}
	for _, s := range []*store{all, few} {
		if s.text("select max(n)::text from (select count(*) n from log_analytics where not rolled group by timestamp, service) x") < "2" {
			t.Error("there is nothing to fold")
		}
		s.compact()
		s.requireFunctions(true)
		s.requireWindows("minute", 60)
		s.requireWindows("hour", 3600)
		s.requireWindows("day", 86400)
		s.requireTotals()
		s.requireBalance()
	}
	const isFew = "coalesce(level in ('ERROR', 'CRITICAL') or response_time > 1000, false)"
	few.same("rows of the few", "select timestamp, message, exception, trace_id, attrs from log_events",
		"select timestamp, message, exception, trace_id, attrs from events where "+isFew)
	few.same("ledger of the few", "select lines, kept, filtered, events, analysed from source_ledger", `
		select count(*), count(*) filter (where few), count(*) filter (where not few), count(*) filter (where few), count(*)
		from (select source_id, `+isFew+` as few from events) e group by source_id`)
	few.same("rows counted as kept", `
		select timestamp, service, (summary ->> 'kept')::bigint from log_analytics where window_seconds = 60`, `
		select date_trunc('minute', timestamp), service, count(*) filter (where `+isFew+`) from events group by 1, 2`)
}

// An import leaves the windows of the past compacted, without a service that does it later.
func TestImportCompacts(t *testing.T) {
	t.Parallel()
	s := newStore(t, "flush: {rows: 700}")
	g := &generator{random: rand.New(rand.NewPCG(1, 2))}
	for i := range 2 { // the second brings late lines
		s.imports(s.file(fmt.Sprintf("%d.log", i), g.lines(1500)))
		if n := s.text("select count(*)::text from log_analytics where not rolled"); n != "0" {
			t.Errorf("%s shares are left after an import", n)
		}
		s.requireBalance()
	}
}
