package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// generate fills log_analytics with what the fleet did in so many days before now: rolled up but for the current hour,
// with minute rows where a range that ends now begins and ends.
func (m *model) generate(ctx context.Context, conn *pgx.Conn, schemaName string, now time.Time, days int) error {
	now = now.Truncate(time.Minute)
	this := now.Truncate(time.Hour)
	table := pgx.Identifier{schemaName, "log_analytics"}
	for i := range m.services {
		s := &m.services[i]
		var rows [][]any
		day := newWindow(s)
		for hour := this.AddDate(0, 0, -days-1); hour.Before(this); hour = hour.Add(time.Hour) {
			w := m.happen(s, 3600)
			rows = append(rows, w.values(hour, 3600, true))
			day.add(w)
			if next := hour.Add(time.Hour); next.Equal(this) || next.Truncate(24*time.Hour).Equal(next) {
				rows = append(rows, day.values(hour.Truncate(24*time.Hour), 86400, true))
				day = newWindow(s)
			}
			if hour.Equal(this.Add(-24*time.Hour)) || hour.Equal(this.AddDate(0, 0, -days)) {
				rows = append(rows, m.minutes(s, hour, hour.Add(time.Hour), true)...)
			}
			if len(rows) > 50 {
				if _, err := conn.CopyFrom(ctx, table, columns, pgx.CopyFromRows(rows)); err != nil {
					return err
				}
				rows = rows[:0]
			}
		}
		rows = append(rows, m.minutes(s, this, now, false)...)
		if _, err := conn.CopyFrom(ctx, table, columns, pgx.CopyFromRows(rows)); err != nil {
			return err
		}
	}
	return nil
}

func (m *model) minutes(s *service, from, to time.Time, rolled bool) (rows [][]any) {
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		rows = append(rows, m.happen(s, 60).values(at, 60, rolled))
	}
	return rows
}
