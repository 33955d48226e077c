// Command dashboards measures what the functions for dashboards cost.
//
// It fills a fresh schema with the windows that a fleet leaves in twice 30 days, and prints a table of how long each function
// takes, warm, over the last 24 hours and over all days: ranges that end with whole hours, and ranges that end now, which
// read minute rows besides. The windows are made without their events, so their size is real and their numbers are not.
// The server is private.
//
//	dashboards [-services 20] [-endpoints 200] [-rate 1000] [-days 30] [-rounds 5] [-only REGEXP] [-plans FILE] [-keep DIR]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/privatepg"
	"logflume/schema"
)

const schemaName = "dashboards"

func main() {
	services := flag.Int("services", 20, "services of the fleet")
	endpoints := flag.Int("endpoints", 200, "endpoints of each service")
	rate := flag.Float64("rate", 1000, "requests a second of the fleet")
	days := flag.Int("days", 30, "days of the longer ranges; twice as many are filled, to compare with")
	rounds := flag.Int("rounds", 5, "how often to ask each question; the median counts")
	only := flag.String("only", "", "ask only the questions that match this regular expression")
	plans := flag.String("plans", "", "write the plans of all statements to this file")
	keep := flag.String("keep", "", "directory of the server's data, which stays and is asked again the next time without being filled")
	url := flag.String("database-url", "", "use this database instead of a private server, and ask it again without filling it")
	flag.Parse()
	m := newModel(*services, *endpoints, *rate)
	if err := run(context.Background(), m, *url, *keep, *days, *rounds, *only, *plans); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, m *model, url, keep string, days, rounds int, only, plans string) (err error) {
	asked, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if url == "" {
		server, err := privatepg.Start(ctx, privatepg.Options{
			Dir: keep, Settings: map[string]string{"shared_buffers": "2GB", "max_wal_size": "8GB"}})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Close()) }()
		url = server.URL("postgres")
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	now, err := filled(ctx, conn, days)
	if err != nil {
		return err
	}
	if now.IsZero() {
		now = time.Now()
		if err := prepare(ctx, conn, url, m, now, days); err != nil {
			return err
		}
	}
	questions = slices.DeleteFunc(questions, func(q string) bool { return !asked.MatchString(q) })
	return measure(ctx, conn, url, now, days, rounds, plans)
}

// filled returns the moment up to which the schema is filled with so many days, zero if it is not.
func filled(ctx context.Context, conn *pgx.Conn, days int) (now time.Time, err error) {
	var note string
	err = conn.QueryRow(ctx, "SELECT coalesce(obj_description(to_regnamespace($1), 'pg_namespace'), '')", schemaName).Scan(&note)
	if err != nil || note == "" {
		return time.Time{}, err
	}
	moment, of, _ := strings.Cut(note, " ")
	if of != strconv.Itoa(days) {
		return time.Time{}, fmt.Errorf("schema %s is filled with %s days, not %d: drop it first", schemaName, of, days)
	}
	return time.Parse(time.RFC3339, moment)
}

// prepare makes the schema, fills it, and notes up to when.
func prepare(ctx context.Context, conn *pgx.Conn, url string, m *model, now time.Time, days int) error {
	started := time.Now()
	if _, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+schemaName+" CASCADE"); err != nil {
		return err
	}
	if _, _, err := schema.Migrate(ctx, url, schemaName); err != nil {
		return err
	}
	if err := m.generate(ctx, url, now, days); err != nil {
		return err
	}
	for _, statement := range []string{
		"VACUUM ANALYZE " + schemaName + ".log_analytics", "VACUUM ANALYZE " + schemaName + ".log_endpoints",
		fmt.Sprintf("COMMENT ON SCHEMA %s IS '%s %d'", schemaName, now.UTC().Format(time.RFC3339), days),
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	var windows, blocks string
	err := conn.QueryRow(ctx, fmt.Sprintf(`SELECT pg_size_pretty(pg_total_relation_size('%[1]s.log_analytics')),
		pg_size_pretty(pg_total_relation_size('%[1]s.log_endpoints'))`, schemaName)).Scan(&windows, &blocks)
	fmt.Printf("%d services with %d endpoints each, %g requests/s, twice %d days: %s of windows and %s of blocks, filled in %v\n\n",
		len(m.services), len(m.services[0].endpoints), m.perSecond, days, windows, blocks, time.Since(started).Round(time.Second))
	return err
}
