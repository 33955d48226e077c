// Command dashboards measures what the functions for dashboards cost.
//
// It fills a fresh schema with the windows that a fleet leaves in 30 days, and prints a table of how long each function
// takes, warm, over the last 24 hours and over all days: ranges that end with whole hours, and ranges that end now, which
// read minute rows besides. The windows are made without their events, so their size is real and their numbers are not.
// The server is private.
//
//	dashboards [-services 20] [-endpoints 200] [-rate 1000] [-days 30] [-rounds 5] [-plans FILE]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
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
	days := flag.Int("days", 30, "days to fill")
	rounds := flag.Int("rounds", 5, "how often to ask each question; the median counts")
	plans := flag.String("plans", "", "write the plans of all statements to this file")
	url := flag.String("database-url", "", "ask this database, filled before, instead of a private one")
	fill := flag.Bool("fill", true, "fill it first")
	flag.Parse()
	m := newModel(*services, *endpoints, *rate)
	if err := run(context.Background(), m, *url, *fill, *days, *rounds, *plans); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, m *model, url string, fill bool, days, rounds int, plans string) (err error) {
	if url == "" {
		server, err := privatepg.Start(ctx, privatepg.Options{Settings: map[string]string{"shared_buffers": "2GB", "max_wal_size": "8GB"}})
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
	if fill {
		if err := prepare(ctx, conn, url, m, days); err != nil {
			return err
		}
	}
	return measure(ctx, conn, url, days, rounds, plans)
}

// prepare makes the schema and fills it.
func prepare(ctx context.Context, conn *pgx.Conn, url string, m *model, days int) error {
	if _, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+schemaName+" CASCADE"); err != nil {
		return err
	}
	if _, _, err := schema.Migrate(ctx, url, schemaName); err != nil {
		return err
	}
	if err := m.generate(ctx, conn, schemaName, time.Now(), days); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "VACUUM ANALYZE "+schemaName+".log_analytics"); err != nil {
		return err
	}
	var size string
	err := conn.QueryRow(ctx, "SELECT pg_size_pretty(pg_total_relation_size('"+schemaName+".log_analytics'))").Scan(&size)
	fmt.Printf("%d services with %d endpoints each, %g requests/s, %d days: %s of windows\n\n",
		len(m.services), len(m.services[0].endpoints), m.perSecond, days, size)
	return err
}
