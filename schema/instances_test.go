package schema_test

import (
	"slices"
	"testing"
)

// Whoever starts deletes the instances that nobody has seen for a month; a heartbeat does not look.
func TestInstancesGo(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	beat := func(instance string) {
		exec(t, conn, `INSERT INTO log_instances (instance, host, version, started_at) VALUES ($1, 'h', 'v', now())
			ON CONFLICT (instance) DO UPDATE SET seen_at = excluded.seen_at`, instance)
	}
	left := func(want ...string) {
		t.Helper()
		if got := column[string](t, conn, "SELECT instance FROM log_instances ORDER BY 1"); !slices.Equal(got, want) {
			t.Errorf("instances %q, want %q", got, want)
		}
	}
	for _, instance := range []string{"a", "b", "c"} {
		beat(instance)
	}
	exec(t, conn, `UPDATE log_instances SET seen_at = now() - CASE instance WHEN 'a' THEN interval '31 days' ELSE '29 days' END WHERE instance <> 'c'`)
	beat("c")
	left("a", "b", "c")
	beat("d")
	left("b", "c", "d")
}
