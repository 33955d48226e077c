package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"
)

// A demoView renders what the demo shows, from the process's own counts and from the same SQL that anybody can ask.
type demoView struct {
	wiring   *wiring
	input    demoInput
	services []*sampleService
	conn     *pgx.Conn
	psql     string
	started  time.Time

	lastLines int64 // committed when last rendered
	lastTime  time.Time
}

// repeat shows the summary again and again until ctx ends.
func (v *demoView) repeat(ctx context.Context, screen *screen) error {
	tick := time.NewTicker(screen.interval())
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			// Not with ctx: a query that is given up takes the connection with it, which the final account needs.
			text, err := v.render(context.WithoutCancel(ctx))
			if err != nil {
				return err
			}
			screen.show(text)
		case <-ctx.Done():
			return nil
		}
	}
}

// written is how many lines the services have written.
func (v *demoView) written() (lines int64) {
	for _, s := range v.services {
		lines += s.written.Load()
	}
	return lines
}

// awaitAll waits until every line that was written is committed.
func (v *demoView) awaitAll(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		lines := v.written()
		committed := v.wiring.stats.Lines.Load()
		if committed >= lines {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d lines were written and only %d are committed", lines, committed)
		}
	}
}

// render returns the whole summary.
func (v *demoView) render(ctx context.Context) (string, error) {
	var b strings.Builder
	now, lines := time.Now(), v.wiring.stats.Lines.Load()
	since := v.lastTime
	if since.IsZero() {
		since = v.started
	}
	rate := float64(lines-v.lastLines) / now.Sub(since).Seconds()
	v.lastLines, v.lastTime = lines, now
	fmt.Fprintf(&b, "logflume demo, %s: %.0f lines/s, %d of %d written lines committed, %s\n%s\n\n",
		now.Sub(v.started).Round(time.Second), rate, lines, v.written(), v.input.progress(), v.psql)
	for _, part := range []func(context.Context, io.Writer) error{v.ledger, v.errors, v.endpoints} {
		if err := part(ctx, &b); err != nil {
			return "", err
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

func (v *demoView) ledger(ctx context.Context, to io.Writer) error {
	heads, query := v.input.ledger()
	return v.table(ctx, to, heads, query)
}

func (v *demoView) errors(ctx context.Context, to io.Writer) error {
	return v.table(ctx, to, "TOP ERRORS\tcount\tservice", `
		SELECT left(pattern, 70), count::text, array_to_string(services, ', ')
		FROM logs.top_errors(now() - interval '1 hour', now() + interval '1 minute', NULL, 5)`)
}

func (v *demoView) endpoints(ctx context.Context, to io.Writer) error {
	return v.table(ctx, to, "SLOWEST ENDPOINTS (ms)\trequests\tslow\tp50\tp95\tp99\tmax", `
		SELECT endpoint, requests::text, slow::text, round(p50::numeric, 1)::text, round(p95::numeric, 1)::text,
		       round(p99::numeric, 1)::text, round(max::numeric, 1)::text
		FROM logs.slowest_endpoints(now() - interval '1 hour', now() + interval '1 minute', 5)`)
}

// table runs a query whose columns are all texts and adds the answer as a table under heads.
func (v *demoView) table(ctx context.Context, to io.Writer, heads, query string) error {
	rows, err := v.conn.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("ask for %s: %w", heads, err)
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, heads)
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return fmt.Errorf("ask for %s: %w", heads, err)
		}
		cells := make([]string, len(values))
		for i, value := range values {
			cells[i] = fmt.Sprint(value)
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("ask for %s: %w", heads, err)
	}
	return table.Flush()
}

// final prints the account that must hold, and fails when it does not.
func (v *demoView) final(ctx context.Context, screen *screen) error {
	text, err := v.render(ctx)
	if err != nil {
		return err
	}
	screen.show(text)
	var lines, kept, filtered, dead, events, stored int64
	err = v.conn.QueryRow(ctx, `
		SELECT coalesce(sum(lines), 0), coalesce(sum(kept), 0), coalesce(sum(filtered), 0), coalesce(sum(dead), 0),
		       coalesce(sum(events), 0), (SELECT count(*) FROM logs.log_events)
		FROM logs.log_positions`).Scan(&lines, &kept, &filtered, &dead, &events, &stored)
	if err != nil {
		return fmt.Errorf("ask for the final ledger: %w", err)
	}
	written := v.written()
	screen.note(fmt.Sprintf("lines = kept + filtered + dead:  %d = %d + %d + %d", lines, kept, filtered, dead))
	screen.note(fmt.Sprintf("lines written by the services:   %d", written))
	screen.note(fmt.Sprintf("rows in log_events:              %d, as the ledger says: %d", stored, events))
	if lines != kept+filtered+dead || lines != written || stored != events {
		return fmt.Errorf("the account does not hold: %d lines written, %d in the ledger, %d rows for %d events", written, lines, stored, events)
	}
	return nil
}
