package endtoend

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// A store knows what it has read and nothing of what others have: a second import of the same files adds nothing, into
// another schema it adds the same once more.
func TestImportAgain(t *testing.T) {
	t.Parallel()
	one, other := newStore(t, ""), newStore(t, "")
	g := &generator{random: rand.New(rand.NewPCG(3, 4))}
	broken := `{"message":"cut he` + "\n[]\n" + `[{"message":"one"},{"message":"two"}]` + "\n"
	content := g.lines(500) + broken + g.lines(500)
	one.file("a.log", content)
	one.file("a.copy.log", content)
	one.file("b.log", g.lines(500)+`{"message":"no newline`)
	one.file("c.log.gz", gzipped(t, g.lines(500)))
	one.file("empty.log", "")
	all := filepath.Join(one.files, "*")

	one.imports(all)
	one.requireBalance()
	first := one.contents()
	if sources := one.text("select count(*)::text from source_ledger where lines > 0"); sources != "3" {
		t.Errorf("%s sources, want one for each file that is no copy", sources)
	}
	again := func(when string) {
		t.Helper()
		if printed := one.imports(all); !strings.HasPrefix(printed, "lines     0\n") {
			t.Errorf("%s an import again printed\n%s", when, printed)
		}
		if now := one.contents(); now != first {
			t.Errorf("%s an import again changed the tables from\n%s\nto\n%s", when, first, now)
		}
	}
	again("at once,")

	other.imports(all)
	other.requireBalance()
	if copied := other.contents(); copied != first {
		t.Errorf("another schema has\n%s\nthe first\n%s", copied, first)
	}
	again("after that of another schema,")
}

// contents tells what the tables hold, whatever the times at which it was stored and the shares in which it was counted.
// Source ids are given in the order of the files.
func (s *store) contents() string {
	s.Helper()
	return s.text(`select concat_ws(E'\n',
		(select 'events ' || count(*) || md5(string_agg(concat_ws('|', source_id, source_offset, level, service, message, exception,
			response_time, status, endpoint, trace_id, pattern_id, attrs), E'\n' order by source_id, source_offset, message))
			from log_events),
		(select 'dead letters ' || string_agg(concat_ws('|', source_id, source_offset, reason, length), E'\n' order by source_id, source_offset)
			from log_dead_letters),
		(select 'ledger ' || string_agg(concat_ws('|', source_id, path, position, lines, kept, filtered, dead, events, analysed, bytes), E'\n'
			order by source_id) from source_ledger),
		(select 'patterns ' || count(*) || ' sum ' || sum(pattern_id) from log_patterns),
		(select 'windows ' || count(distinct (timestamp, service)) || ' total ' || sum((summary ->> 'total_logs')::bigint)
			from log_analytics where timestamp < '2026-02-01'),
		(select 'analysed ' || sum((summary ->> 'total_logs')::bigint) from log_analytics))`)
}
