package schema_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/analyze"
	"logflume/pipeline"
)

const databasePage = "../docs/database.md"

// internalFunctions are not described: only writers, compact and drop_expired call them, and nobody else has the right to, or a
// reason, since what they return can only be stored back.
var internalFunctions = []string{
	"become_compactor", "fold_windows", "roll_hour", "merge_shares", // steps of compact
	"merge_counts", "merge_issues", "merge_latency", "merge_patterns", "merge_summaries", // parts of merge_shares
	"trim_tables", "fold_positions", // steps of drop_expired
	"count_dead_letters",            // of the triggers on log_dead_letters
	"trim_instances",                // of the trigger on log_instances
	"lock_aliases", "store_aliases", // writers have what to store
	"add_to_blocks", "fill_blocks", "empty_blocks", // blocks are filled by compact, and emptied by a trigger
	"block_start", "next_block", "block_runs", "blocks_between", "unblocked_between", // parts of histograms_between
	"endpoint_histograms", "classes_between", "latency_classes", "pattern_counts_between", // parts of questions
	"bucket_place", "cumulate", "pack_endpoints", "pack_overall", "pack_registers", "unpack_registers", "pattern_numbers", // how things are packed
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s: %s names %q, the schema has %q", what, databasePage, got, want)
	}
}

const ourRelations = "relnamespace = current_schema()::regnamespace AND NOT relispartition"

func TestPageNamesTablesAndColumns(t *testing.T) {
	t.Parallel()
	page, conn := readPage(t), connect(t, migrated(t))
	tables := column[string](t, conn, "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND "+ourRelations)
	views := column[string](t, conn, "SELECT relname::text FROM pg_class WHERE relkind = 'v' AND "+ourRelations)

	var described []string
	for _, table := range page.tables {
		if table.header == "column" {
			described = append(described, spans(table.under)...)
		}
	}
	same(t, "list of tables", page.under("", "table"), tables)
	same(t, "columns of", described, slices.Concat(tables, views))
	for _, table := range tables {
		same(t, table, page.columns(t, table), column[string](t, conn, `
			SELECT attname || ' ' || replace(format_type(atttypid, atttypmod), 'timestamp with time zone', 'timestamptz')
				|| CASE WHEN attnotnull THEN ' –' ELSE '' END
			FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped`, table))
	}
	for _, view := range views {
		same(t, view, page.under("`"+view+"`", "column"), column[string](t, conn, `
			SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0`, view))
	}
}

func TestPageNamesFunctions(t *testing.T) {
	t.Parallel()
	page, conn := readPage(t), connect(t, migrated(t))
	type function struct {
		Name, Arguments, Results []string
	}
	rows, err := conn.Query(t.Context(), `
		SELECT ARRAY[p.proname::text],
			ARRAY(SELECT a.name || CASE WHEN a.n > p.pronargs - p.pronargdefaults THEN ' =>' ELSE '' END
				FROM unnest(p.proargnames) WITH ORDINALITY a(name, n) WHERE a.n <= p.pronargs ORDER BY a.n),
			coalesce(p.proargnames[p.pronargs + 1:], '{}')
		FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[function])
	if err != nil {
		t.Fatal(err)
	}
	described, statements := page.functions(), strings.Join(slices.Concat(page.queries, page.examples), "\n")
	var users, names []string
	for _, f := range all {
		name := f.Name[0]
		names = append(names, name)
		if slices.Contains(internalFunctions, name) {
			continue
		}
		users = append(users, name)
		if got := described[name]; !slices.Equal(got, f.Arguments) {
			t.Errorf("%s: %s gives it the arguments %q, the schema %q", name, databasePage, got, f.Arguments)
		}
		if name != "list_partitions" { // whose result stands in its line of the table of calls
			same(t, "result of "+name, page.under("`"+name+"(", "result"), f.Results)
		}
		if !strings.Contains(statements, "logs."+name+"(") {
			t.Errorf("%s has no example of %s", databasePage, name)
		}
	}
	same(t, "functions", slices.Collect(maps.Keys(described)), users)
	for _, name := range internalFunctions {
		if !slices.Contains(names, name) {
			t.Errorf("there is no %s to be left out", name)
		}
	}
}

func TestPageNamesIndexes(t *testing.T) {
	t.Parallel()
	page, conn := readPage(t), connect(t, migrated(t))
	same(t, "indexes", page.under("", "index"), column[string](t, conn, `
		SELECT relname::text FROM pg_class WHERE relkind IN ('i', 'I') AND `+ourRelations+`
		AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = pg_class.oid)`))
}

// sampleShare returns what the analysis makes of two events.
func sampleShare(t *testing.T, now time.Time) (share pipeline.Share) {
	t.Helper()
	events := []pipeline.Event{
		{Level: "ERROR", Message: "payment 7 failed", Endpoint: "/pay", Status: 500, ResponseTime: 1500, UserID: "u", TenantID: "t", TraceID: "4bf9", Service: "checkout"},
		{Level: "INFO", Message: "paid", Endpoint: "/pay", Status: 200, ResponseTime: 12, UserID: "v", Service: "checkout"},
	}
	for i := range events {
		events[i].Time = now.UnixMicro()
	}
	batch := &pipeline.Batch{Events: events}
	analyze.New(analyze.Options{})().Process(batch)
	a := analyze.NewAggregate(analyze.Options{})
	a.Add(batch)
	a.Rows(func(s *pipeline.Share) {
		share = *s // whose texts are valid during this call only
		share.ErrorPatterns = slices.Clone(s.ErrorPatterns)
		share.PerformanceIssues = slices.Clone(s.PerformanceIssues)
		share.Summary = slices.Clone(s.Summary)
	})
	return share
}

const insertShare = `INSERT INTO log_analytics (timestamp, window_seconds, service, error_patterns, performance_issues, summary)
	VALUES ($1, $2, $3, $4::text::jsonb, $5::text::jsonb, $6::text::jsonb)`

func shareArgs(s pipeline.Share) []any {
	return []any{time.UnixMicro(s.Window), s.Seconds, s.Service, string(s.ErrorPatterns), string(s.PerformanceIssues), string(s.Summary)}
}

func TestPageNamesMembers(t *testing.T) {
	t.Parallel()
	page, conn := readPage(t), connect(t, migrated(t))
	share := sampleShare(t, past)
	exec(t, conn, insertShare, shareArgs(share)...)
	exec(t, conn, insertShare, shareArgs(share)...)
	compact(t, conn) // which adds members of its own

	for _, c := range []string{"error_patterns", "performance_issues", "summary"} {
		var row map[string]json.RawMessage
		text := one[string](t, conn, "SELECT CASE jsonb_typeof("+c+") WHEN 'array' THEN "+c+" -> 0 ELSE "+c+" END::text FROM log_analytics WHERE window_seconds = 3600")
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			t.Fatal(err)
		}
		same(t, "members of "+c, page.under("`"+c+"`", "member"), slices.Collect(maps.Keys(row)))
	}
}

// Every statement of the page works and finds something in a schema with two windows, a row and a dead letter of bytes
// that are no text.
func TestPageQueriesRun(t *testing.T) {
	t.Parallel()
	page, db := readPage(t), migrated(t)
	conn := connect(t, db)
	share := sampleShare(t, time.Now().Add(-10*time.Minute))
	exec(t, conn, insertShare, shareArgs(share)...)
	share.Window = time.Now().Add(-26 * time.Hour).Truncate(time.Minute).UnixMicro()
	share.ErrorPatterns = []byte("[]") // so that there is something new since
	exec(t, conn, insertShare, shareArgs(share)...)
	exec(t, conn, `
		SELECT ensure_partition(now());
		SELECT compact();
		INSERT INTO log_positions (source_key, lines, kept, dead, events, analysed, meta)
		VALUES ('file:h/1:1#1', 5, 4, 1, 1, 4, '{"path": "/var/log/app.log", "services": {"checkout": 1767225600}}');
		INSERT INTO log_events (timestamp, source_offset, source_id, level, message, pattern_id)
		SELECT now(), 0, 1, 'ERROR', 'm', pattern_id FROM top_errors(now() - interval '1 day', now());
		INSERT INTO log_dead_letters (source_id, source_offset, reason, raw, length) VALUES (1, 9, 'text: binary data', '\x00ff41', 3);
		INSERT INTO log_patterns (pattern_id, pattern, sample)
		SELECT p.pattern_id, p.pattern, p.sample FROM log_analytics a CROSS JOIN
			jsonb_to_recordset(a.error_patterns) AS p (pattern_id bigint, pattern text, sample text) WHERE a.window_seconds = 60
		UNION ALL SELECT 1, 'payment <num> failed', 'payment 7 failed';
		INSERT INTO log_instances (instance, host, version, sources) VALUES ('h/1', 'h', 'v', '{"lag_bytes": 5}')`)

	grafana := strings.NewReplacer("$__timeFrom()", "now() - interval '6 hours'", "$__timeTo()", "now()", "$__interval", "1m",
		"logs.", db.Schema+".")
	exec(t, conn, "SET search_path = pg_catalog") // as it is for those who use the page
	run := func(statement string, mode pgx.TxAccessMode) {
		tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{AccessMode: mode})
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback(context.WithoutCancel(t.Context()))
		tag, err := tx.Exec(t.Context(), grafana.Replace(statement))
		if err != nil {
			t.Errorf("%s\n%v", statement, err)
		} else if tag.RowsAffected() == 0 {
			t.Errorf("%s\nfinds nothing", statement)
		}
	}
	if len(page.queries) == 0 || len(page.examples) == 0 {
		t.Fatal("no statements found")
	}
	for _, query := range page.queries {
		run(query, pgx.ReadOnly)
	}
	for _, call := range page.examples {
		run(call, pgx.ReadWrite)
	}
}
