package schema_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"logflume/schema"
)

// errorsOf inserts a window of errors, count by pattern, and the patterns themselves.
func errorsOf(t *testing.T, conn *pgx.Conn, service string, counts map[int64]int) {
	t.Helper()
	for id, n := range counts {
		exec(t, conn, `INSERT INTO log_patterns (pattern_id, pattern, sample) VALUES ($1::bigint, 'pattern ' || $1::bigint, 'sample ' || $1::bigint) ON CONFLICT DO NOTHING`, id)
		exec(t, conn, `INSERT INTO log_analytics (timestamp, window_seconds, service, error_patterns)
			VALUES ($1, 60, $2, jsonb_build_array(jsonb_build_object('pattern_id', $3::bigint, 'pattern', 'pattern ' || $3::bigint,
				'count', $4::int, 'level', 'ERROR', 'first', $1::timestamptz, 'last', $1::timestamptz, 'sample', 's')))`, past, service, id, n)
	}
}

func TestDashboardsResolveAliases(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	errorsOf(t, conn, "a", map[int64]int{1: 5, 2: 7, 3: 9, -4: 11})
	errorsOf(t, conn, "b", map[int64]int{1: 100})
	const (
		top    = "SELECT pattern_id || ' ' || pattern || ' ' || count || ' ' || array_to_string(services, ',') FROM top_errors('2000-01-01', now())"
		totals = "SELECT pattern_id || ' ' || pattern || ' ' || total FROM error_totals ORDER BY total DESC"
		merged = "SELECT pattern_id || ' ' || pattern || ' ' || cases || ' ' || sample FROM merged_patterns ORDER BY pattern_id"
	)
	check := func(query string, want ...string) {
		t.Helper()
		if got := column[string](t, conn, query); !slices.Equal(got, want) {
			t.Errorf("%s\ngives %q\nwant  %q", query, got, want)
		}
	}
	apart := func(three string) {
		t.Helper()
		check(top, "1 pattern 1 105 a,b", "-4 pattern -4 11 a", "3 "+three+" 9 a", "2 pattern 2 7 a")
		check(totals, "1 pattern 1 105", "-4 pattern -4 11", "3 "+three+" 9", "2 pattern 2 7")
		check(merged, "-4 pattern -4 1 sample -4", "1 pattern 1 1 sample 1", "2 pattern 2 1 sample 2", "3 "+three+" 1 sample 3")
	}
	apart("pattern 3")

	// 1, 2 and -4 become cases of 3, which is a pattern itself.
	exec(t, conn, "UPDATE log_patterns SET first_seen = now() - interval '1 day' WHERE pattern_id = 2")
	store := "SELECT store_aliases('{1,2,-4}', '{3,3,3}', '{<*>,<*>,<*>}', '{4,4,4}')"
	if n := one[int](t, conn, store); n != 3 {
		t.Errorf("%d rows changed", n)
	}
	together := func() {
		t.Helper()
		check(top, "3 <*> 132 a,b")
		check(totals, "3 <*> 132")
		check(merged, "3 <*> 4 sample 2")
		check("SELECT resolve_pattern(id)::text FROM unnest('{1,2,3,-4,5}'::bigint[]) id", "3", "3", "3", "3", "5")
		check("SELECT pattern_cases(3)::text", "{-4,1,2,3}")
		check("SELECT pattern_cases(5)::text", "{5}")
	}
	together()
	compact(t, conn)
	together()
	if n := one[int](t, conn, store); n != 0 {
		t.Errorf("the same aliases change %d rows", n)
	}

	if n := one[int](t, conn, "SELECT unmerge_pattern(3)"); n != 3 {
		t.Errorf("%d patterns set apart", n)
	}
	exec(t, conn, "UPDATE log_patterns SET first_seen = now()")
	apart("<*>")
	exec(t, conn, store) // by who has not heard of it
	apart("<*>")
	if !one[bool](t, conn, "SELECT remerge_pattern(3)") || one[bool](t, conn, "SELECT remerge_pattern(3)") {
		t.Error("a merge is allowed again, once")
	}
	exec(t, conn, "UPDATE log_patterns SET first_seen = now() - interval '1 day' WHERE pattern_id = 2")
	exec(t, conn, store)
	together()

	// One pattern alone may be kept out; aliases that are found no more go.
	exec(t, conn, "SELECT unmerge_pattern(1)")
	exec(t, conn, store)
	check(totals, "1 pattern 1 105", "3 <*> 27")
	exec(t, conn, "SELECT store_aliases('{}', '{}', '{}', '{}')")
	exec(t, conn, "SELECT remerge_pattern(1)")
	if left := column[string](t, conn, "SELECT from_id::text FROM log_pattern_aliases"); len(left) != 0 {
		t.Errorf("aliases %q are left", left)
	}
}

func TestUnmerge(t *testing.T) {
	t.Parallel()
	db, as := withRoles(t)
	conn := connect(t, db)
	exec(t, as("log_writer"), "SELECT store_aliases('{1,2}', '{3,3}', '{<*>,<*>}', '{2,2}')")
	if n, err := schema.Unmerge(t.Context(), db.URL, db.Schema, 3); n != 2 || err != nil {
		t.Errorf("%d set apart, %v", n, err)
	}
	if n, err := schema.Unmerge(t.Context(), db.URL, db.Schema, 3); n != 1 || err != nil {
		t.Errorf("again: %d set apart, %v", n, err)
	}
	if _, err := schema.Unmerge(t.Context(), db.URL, db.Schema, 4); !errors.Is(err, schema.ErrNoPattern) ||
		!strings.Contains(err.Error(), "there is no pattern 4") {
		t.Errorf("a pattern that is not there: %v", err)
	}
	for _, want := range []bool{true, false} {
		if was, err := schema.Remerge(t.Context(), db.URL, db.Schema, 3); was != want || err != nil {
			t.Errorf("taken back: %v, %v", was, err)
		}
	}
	if n := one[int](t, conn, "SELECT count(*) FROM log_pattern_aliases"); n != 0 {
		t.Errorf("%d aliases are left", n)
	}
}
