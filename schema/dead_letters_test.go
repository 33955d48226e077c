package schema_test

import (
	"testing"

	"logflume/internal/testkit"
	"logflume/schema"
)

// However dead letters come and go, log_positions knows what they take.
func TestDeadBytesFollowTheLetters(t *testing.T) {
	t.Parallel()
	db, as := withRoles(t)
	writer, owner := as("log_writer"), connect(t, db)
	exec(t, writer, "INSERT INTO log_positions (source_key) VALUES ('file:h/1:1#1'), ('file:h/1:2#1'), ('file:h/1:3#1')")
	f := func(what, sql string, want string) {
		t.Helper()
		if sql != "" {
			exec(t, owner, sql)
		}
		if got := one[string](t, owner, "SELECT string_agg(dead_bytes::text, ' ' ORDER BY source_id) FROM log_positions"); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	exec(t, writer, `INSERT INTO log_dead_letters (source_id, source_offset, reason, raw, length)
		VALUES (1, 0, 'r', 'abc', 3), (1, 9, 'r', '', 0), (2, 0, 'r', 'abcd', 4), (77, 0, 'r', 'x', 1)`)
	f("inserted", "", "203 104 0")
	f("one deleted", "DELETE FROM log_dead_letters WHERE raw = 'abc'", "100 104 0")
	f("none deleted", "DELETE FROM log_dead_letters WHERE raw = 'abc'", "100 104 0")
	f("expired", "UPDATE log_dead_letters SET received_at = now() - interval '3 days' WHERE source_id = 2; SELECT drop_expired('2 days')", "100 0 0")
	f("emptied", "TRUNCATE log_dead_letters", "0 0 0")
}

// An upgrade counts what is there.
func TestUpgradeCountsDeadLetters(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	applied(t, db, "---------- 0007")
	conn := connect(t, db)
	exec(t, conn, `INSERT INTO log_positions (source_key) VALUES ('file:h/1:1#1');
		INSERT INTO log_dead_letters (source_id, source_offset, reason, sqlstate, raw, length) VALUES (1, 0, 'r', NULL, 'abc', 3), (1, 5, 'r', '22003', 'ab', 2)`)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	if got := one[int64](t, conn, "SELECT dead_bytes FROM log_positions"); got != 205 {
		t.Errorf("dead_bytes %d", got)
	}
	if got := one[string](t, conn, "SELECT string_agg(format('%s %s', letter_id, lines), ', ' ORDER BY letter_id) FROM log_dead_letters"); got != "1 1, 2 0" {
		t.Errorf("letters %s", got)
	}
}
