package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// questions are what dashboards ask; $1 and $2 are the range.
var questions = []string{
	"top_errors($1, $2)",
	"top_errors($1, $2, most => 10)",
	"total_errors($1, $2)",
	"unique_error_patterns($1, $2)",
	"new_errors($1)",
	"error_rate($1, $2)",
	"request_rate($1, $2, '1 hour')",
	"request_rate($1, $2, '1 day')",
	"latency_quantiles($1, $2, only_service => 'service-03')",
	"latency_quantiles($1, $2, only_endpoint => '/service-03/resource-001/{n}')",
	"latency_quantiles($1, $2)",
	"slowest_endpoints($1, $2, only_service => 'service-03')",
	"slowest_endpoints($1, $2)",
	"performance_issues($1, $2)",
	"unique_users($1, $2)",
	"active_tenants($1, $2)",
	"apdex($1, $2)",
	"kpis($1, $2)",
	"compare($1::timestamptz - ($2::timestamptz - $1), $1, $1, $2, 'service-03')",
	"compare($1::timestamptz - ($2::timestamptz - $1), $1, $1, $2)",
}

// measure prints how long each question takes, and writes the plans of their statements to a file if it has a name.
func measure(ctx context.Context, conn *pgx.Conn, url string, now time.Time, days, rounds int, plans string) error {
	// Not in parallel, so that the processor time is that of one process.
	if _, err := conn.Exec(ctx, "SET max_parallel_workers_per_gather = 0; SET search_path = "+schemaName); err != nil {
		return err
	}
	hour := now.Truncate(time.Hour)
	ranges := [][2]time.Time{
		{hour.Add(-24 * time.Hour), hour}, {now.Add(-24 * time.Hour), now},
		{hour.AddDate(0, 0, -days), hour}, {now.AddDate(0, 0, -days), now},
	}
	fmt.Printf("| ms, median (processor time) | 24 h, whole hours | 24 h until now | %[1]d d, whole hours | %[1]d d until now |\n|---|---:|---:|---:|---:|\n", days)
	for _, q := range questions {
		fmt.Printf("| `%s` |", strings.ReplaceAll(q, "$1, $2", "…"))
		for _, r := range ranges {
			took, cpu, err := ask(ctx, conn, q, r, rounds)
			if err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
			fmt.Printf(" %d (%d) |", took.Milliseconds(), cpu.Milliseconds())
		}
		fmt.Println()
	}
	if plans == "" {
		return nil
	}
	return explain(ctx, url, ranges, plans)
}

// ask returns the median time of several rounds after one that is not counted, and the average of what they cost the
// server's process in processor time, which other work on the machine changes less.
func ask(ctx context.Context, conn *pgx.Conn, question string, r [2]time.Time, rounds int) (took, cpu time.Duration, err error) {
	if err := once(ctx, conn, question, r); err != nil {
		return 0, 0, err
	}
	before := spent(conn.PgConn().PID())
	var all []time.Duration
	for range rounds {
		start := time.Now()
		if err := once(ctx, conn, question, r); err != nil {
			return 0, 0, err
		}
		all = append(all, time.Since(start))
	}
	slices.Sort(all)
	return all[len(all)/2], (spent(conn.PgConn().PID()) - before) / time.Duration(rounds), nil
}

// spent returns the processor time that a process has used so far; 0 where Linux's /proc does not tell.
func spent(pid uint32) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	const tick = time.Second / 100
	return time.Duration(user+system) * tick
}

// once asks a question and reads the answer.
func once(ctx context.Context, conn *pgx.Conn, question string, r [2]time.Time) error {
	args := []any{r[0], r[1]}
	if !strings.Contains(question, "$2") {
		args = args[:1]
	}
	_, err := conn.Exec(ctx, "SELECT * FROM "+question, args...)
	return err
}

// explain asks each question once more on a connection that reports the plans of the statements within functions.
func explain(ctx context.Context, url string, ranges [][2]time.Time, path string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	var text strings.Builder
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { text.WriteString(n.Message + "\n\n") }
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `LOAD 'auto_explain'; SET auto_explain.log_min_duration = 10; SET auto_explain.log_analyze = on;
		SET auto_explain.log_buffers = on; SET auto_explain.log_nested_statements = on; SET client_min_messages = log;
		SET search_path = `+schemaName); err != nil {
		return err
	}
	for _, q := range questions {
		for _, r := range ranges {
			fmt.Fprintf(&text, "---------- %s from %s to %s\n\n", q, r[0].Format(time.RFC3339), r[1].Format(time.RFC3339))
			if err := once(ctx, conn, q, r); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
	}
	return os.WriteFile(path, []byte(text.String()), 0o644)
}
