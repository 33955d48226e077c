package chaos_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"logflume/internal/chaos"
	"logflume/internal/testkit"
	"logflume/schema"
)

// recorded returns a schema that holds what a right program makes of the 100 lines of each of two writers.
func recorded(t *testing.T) (testkit.DB, *pgx.Conn) {
	t.Helper()
	db := testkit.Postgres(t)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	conn := db.Connect(t)
	for _, sql := range []string{
		"set search_path = " + db.Schema,
		"select ensure_partition(now())",
		`insert into log_positions (source_key, position, lines, kept, events, analysed)
			select 'file:' || w, 100000, 100, 100, 100, 100 from unnest('{a,b}'::text[]) w`,
		`insert into log_events (timestamp, source_id, source_offset, logger, trace_id, message, attrs)
			select now(), source_id, n * 100, 'chaos.' || w, lpad(to_hex(n), 32, '0'),
				format('line %s of %s: %send %s', n, w, repeat('payload ', n % 13), n), jsonb_build_object('n', n, 'writer', w)
			from generate_series(1, 100) n, unnest('{a,b}'::text[]) w join log_positions on source_key = 'file:' || w`,
		`insert into log_analytics (timestamp, window_seconds, summary) values
			(date_trunc('minute', now()), 60, '{"total_logs": 150}'), (date_trunc('minute', now()), 60, '{"total_logs": 50}')`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return db, conn
}

const deleted17And18 = `delete from log_events where attrs ->> 'writer' = 'a' and attrs ->> 'n' in ('17', '18');`

func TestCheck(t *testing.T) {
	t.Parallel()
	db, conn := recorded(t)
	for name, test := range map[string]struct {
		damage              string  // what is done to the tables first
		gone                []int64 // numbers of writer a that a rotation destroyed, of 100 bytes each
		missing, duplicated int64
		problem             string // a part of the only problem, or of the first of several
	}{
		"nothing": {},
		"missing": {
			damage:  "delete from log_events where attrs = '{\"n\": 17, \"writer\": \"a\"}'",
			missing: 1, problem: "a 17",
		},
		"last missing": {
			damage:  "delete from log_events where attrs ->> 'n' = '100'",
			missing: 2, problem: "b 100",
		},
		"duplicated": {
			damage:     "insert into log_events select * from log_events where attrs ->> 'n' = '5'",
			duplicated: 2, problem: "a 5 times 2",
		},
		"gone": {
			damage: deleted17And18 + `update log_positions set lines = 98, kept = 98, events = 98, analysed = 98, lost_bytes = 200
				where source_key = 'file:a'; update log_analytics set summary = '{"total_logs": 148}' where summary = '{"total_logs": 150}'`,
			gone: []int64{17, 18},
		},
		"gone and there": {gone: []int64{17, 18}},
		"more missing than is gone": {
			damage: deleted17And18, gone: []int64{17, 19}, missing: 1, problem: "a 18",
		},
		"more lost than is gone": {
			damage: `update log_positions set lost_bytes = 101 where source_key = 'file:a'`,
			gone:   []int64{17}, problem: "1 bytes lost more or less",
		},
		"fewer lines in the ledger than without what is gone": {
			damage: `update log_positions set lines = 98, kept = 98 where source_key = 'file:a'`,
			gone:   []int64{17}, problem: "198 in the ledger, 200 written, 1 gone",
		},
		"foreign number": {
			damage:  `update log_events set attrs = attrs || '{"n": 101}' where attrs = '{"n": 17, "writer": "a"}'`,
			missing: 1, problem: "a 101",
		},
		"foreign writer": {
			damage:  `update log_events set attrs = '{}' where attrs = '{"n": 17, "writer": "a"}'`,
			missing: 1, problem: "of no writer",
		},
		"damaged message": {
			damage:  `update log_events set message = left(message, 5) where attrs ->> 'n' = '17'`,
			problem: "2 rows are damaged",
		},
		"damaged field": {
			damage:  `update log_events set trace_id = null where attrs ->> 'n' = '17'`,
			problem: "2 rows are damaged",
		},
		"same place": {
			damage:  `update log_events set source_offset = 1700 where attrs ->> 'n' = '18'`,
			problem: "2 rows share their place",
		},
		"dead letter": {
			damage:  `insert into log_dead_letters (source_id, source_offset, reason, raw, length) values (1, 0, 'torn', 'half a li', 9)`,
			problem: "torn: half a li",
		},
		"lost bytes": {
			damage:  `update log_positions set lost_bytes = 7 where source_key = 'file:a'`,
			problem: "file:a: 100 100 0 0 7",
		},
		"lost messages": {
			damage:  `update log_positions set lost_messages = 7 where source_key = 'file:a'`,
			problem: "file:a: 100 100 0 0 0 7",
		},
		"filtered": {
			damage:  `update log_positions set lines = 101, filtered = 1 where source_key = 'file:a'`,
			problem: "file:a: 101 100 1 0 0",
		},
		"ledger says more events": {
			damage:  `update log_positions set events = 102 where source_key = 'file:a'`,
			problem: "file:a: 102 in the ledger, 100 stored",
		},
		"ledger says more lines": {
			damage:  `update log_positions set lines = 101, kept = 101 where source_key = 'file:a'`,
			problem: "1 lines more or less in the ledger",
		},
		"window twice": {
			damage: `insert into log_analytics (timestamp, window_seconds, rolled, summary) values
				(date_trunc('hour', now()), 3600, true, '{"total_logs": 10}')`,
			problem: "analysed 200, in windows 210",
		},
		"minute rolled up and gone": {
			damage: `insert into log_analytics (timestamp, window_seconds, rolled, summary) values
					(date_trunc('hour', now()), 3600, true, '{"total_logs": 200}');
				delete from log_analytics where window_seconds = 60`,
			problem: "minutes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback(t.Context())
			if _, err := tx.Exec(t.Context(), test.damage); err != nil {
				t.Fatal(err)
			}
			account := chaos.Account{Lines: map[string]int64{"a": 100, "b": 100}}
			if len(test.gone) > 0 {
				account.Gone, account.GoneBytes = map[string][]int64{"a": test.gone}, int64(100*len(test.gone))
			}
			v, err := chaos.Examine(t.Context(), tx, db.Schema, chaos.ServiceLines, account)
			if err != nil {
				t.Fatal(err)
			}
			if v.Missing != test.missing || v.Duplicated != test.duplicated {
				t.Errorf("missing %d, duplicated %d", v.Missing, v.Duplicated)
			}
			all := strings.Join(v.Problems, "\n")
			if !strings.Contains(all, test.problem) || (len(v.Problems) == 0) != (test.problem == "") {
				t.Errorf("no %q in %q", test.problem, all)
			}
		})
	}
}

// What an account says besides lines must be found, no more and no less.
func TestCheckAccount(t *testing.T) {
	t.Parallel()
	db, conn := recorded(t)
	lines := map[string]int64{"a": 100, "b": 100}
	for name, test := range map[string]struct {
		damage  string
		account chaos.Account
		problem string
	}{
		"dead letter": {
			damage: `insert into log_dead_letters (source_id, source_offset, reason, raw, length)
					select source_id, 0, 'torn', 'half a li', 9 from log_positions where source_key = 'file:a';
				update log_positions set lines = 101, dead = 1 where source_key = 'file:a'`,
			account: chaos.Account{Dead: map[string]int64{"torn": 1}},
		},
		"no dead letter": {account: chaos.Account{Dead: map[string]int64{"torn": 2}}, problem: "torn: 0 instead of 2"},
		"dead letter that is not counted": {
			damage:  `insert into log_dead_letters (source_id, source_offset, reason, raw, length) select source_id, 0, 'torn', '', 9 from log_positions`,
			account: chaos.Account{Dead: map[string]int64{"torn": 2}}, problem: "2 sources filtered something, or lost messages, or do not balance",
		},
		"lost bytes": {
			damage:  "update log_positions set lost_bytes = 7 where source_key = 'file:a'",
			account: chaos.Account{LostBytes: 7},
		},
		"no lost bytes": {account: chaos.Account{LostBytes: 7}, problem: "7 bytes lost more or less"},
		"joined lines": {
			damage:  "update log_positions set lines = 400, kept = 400",
			account: chaos.Account{Joined: 600},
		},
		"no joined lines": {account: chaos.Account{Joined: 600}, problem: "200 in the ledger, 800 written"},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback(t.Context())
			if _, err := tx.Exec(t.Context(), test.damage); err != nil {
				t.Fatal(err)
			}
			test.account.Lines = lines
			v, err := chaos.Examine(t.Context(), tx, db.Schema, chaos.ServiceLines, test.account)
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(v.Problems, "\n"); !strings.Contains(all, test.problem) || (all == "") != (test.problem == "") {
				t.Errorf("no %q in %q", test.problem, all)
			}
		})
	}
}

// What Kafka's client wrote in transactions is told by its text.
func TestCheckTransactions(t *testing.T) {
	t.Parallel()
	db, conn := recorded(t)
	for _, sql := range []string{
		"delete from log_events where attrs ->> 'writer' = 'b' or (attrs ->> 'n')::int > 20",
		"delete from log_positions where source_key = 'file:b'",
		"update log_positions set lines = 20, kept = 20, events = 20, analysed = 20",
		`update log_analytics set summary = '{"total_logs": 10}'`,
		// Transactions 0 and 2 of ten records each.
		"update log_events set message = format('committed %s %s', ((attrs ->> 'n')::int - 1) / 10 * 2, ((attrs ->> 'n')::int - 1) % 10)",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct{ damage, problem string }{
		"nothing": {},
		"missing": {"delete from log_events where message = 'committed 2 4'", "1 numbers are missing:\n\tcommitted 15"},
		"doubled": {"insert into log_events select * from log_events where message = 'committed 0 0'", "committed 1 times 2"},
		"aborted": {"update log_events set message = 'aborted 1 3' where message = 'committed 2 3'", "no number that it wrote:\n\taborted 4"},
		"damaged": {"update log_events set message = 'committed 2 3 ' where message = 'committed 2 3'", "1 rows are damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback(t.Context())
			if _, err := tx.Exec(t.Context(), test.damage); err != nil {
				t.Fatal(err)
			}
			v, err := chaos.Examine(t.Context(), tx, db.Schema, chaos.TransactionLines(10),
				chaos.Account{Lines: map[string]int64{"committed": 20}})
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(v.Problems, "\n")
			if !strings.Contains(all, test.problem) || (all == "") != (test.problem == "") {
				t.Errorf("no %q in %q", test.problem, all)
			}
		})
	}
}
