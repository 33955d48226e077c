package main

import (
	"context"
	"fmt"
	"os"
	"slices"
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
func measure(ctx context.Context, conn *pgx.Conn, url string, days, rounds int, plans string) error {
	if _, err := conn.Exec(ctx, "SET search_path = "+schemaName); err != nil {
		return err
	}
	now := time.Now()
	hour := now.Truncate(time.Hour)
	ranges := [][2]time.Time{
		{hour.Add(-24 * time.Hour), hour}, {now.Add(-24 * time.Hour), now},
		{hour.AddDate(0, 0, -days), hour}, {now.AddDate(0, 0, -days), now},
	}
	fmt.Printf("| ms | 24 h, whole hours | 24 h until now | %[1]d d, whole hours | %[1]d d until now |\n|---|---:|---:|---:|---:|\n", days)
	for _, q := range questions {
		fmt.Printf("| `%s` |", strings.ReplaceAll(q, "$1, $2", "…"))
		for _, r := range ranges {
			took, err := ask(ctx, conn, q, r, rounds)
			if err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
			fmt.Printf(" %.0f |", float64(took.Microseconds())/1000)
		}
		fmt.Println()
	}
	if plans == "" {
		return nil
	}
	return explain(ctx, url, ranges, plans)
}

// ask returns the median time of several rounds after one that is not counted.
func ask(ctx context.Context, conn *pgx.Conn, question string, r [2]time.Time, rounds int) (time.Duration, error) {
	var took []time.Duration
	for i := range rounds + 1 {
		start := time.Now()
		if err := once(ctx, conn, question, r); err != nil {
			return 0, err
		}
		if i > 0 {
			took = append(took, time.Since(start))
		}
	}
	slices.Sort(took)
	return took[len(took)/2], nil
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
	if _, err := conn.Exec(ctx, `LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on;
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
