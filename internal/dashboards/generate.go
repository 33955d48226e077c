package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// widths are those of the blocks that compaction fills.
var widths = []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 6 * 24 * time.Hour}

// generate writes what compaction has made by now of so many days: hours and days, the blocks of all of them, and minutes
// where a range that begins or ends now does. Half of the services go over each of two connections.
func (m *model) generate(ctx context.Context, url string, now time.Time, days int) error {
	group, ctx := errgroup.WithContext(ctx)
	for part := range 2 {
		group.Go(func() error {
			conn, err := pgx.Connect(ctx, url)
			if err != nil {
				return err
			}
			defer conn.Close(ctx)
			for i := part; i < len(m.services); i += 2 {
				g := generator{model: m, service: &m.services[i], rows: &rows{}, open: map[time.Duration]*window{}, random: rand.New(rand.NewPCG(1, uint64(i)))}
				if err := g.run(ctx, conn, now, days); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// A generator makes the rows of one service, in the order of time.
type generator struct {
	*model
	service *service
	random  *rand.Rand
	rows    *rows
	open    map[time.Duration]*window // by width the block that is being added up
}

func (g *generator) run(ctx context.Context, conn *pgx.Conn, now time.Time, days int) error {
	now = now.Truncate(time.Minute)
	this := now.Truncate(time.Hour)
	ends := map[time.Time]bool{} // hours in which the ranges begin that are asked for
	for _, d := range []int{1, 2, days, 2 * days} {
		ends[this.AddDate(0, 0, -d)] = true
	}
	for hour := this.AddDate(0, 0, -2*days-1); hour.Before(this); hour = hour.Add(time.Hour) {
		next := hour.Add(time.Hour)
		var w *window
		if ends[hour] {
			w = g.minutes(hour, next, next, true)
		} else {
			w = g.happen(g.service, 3600, g.random)
		}
		g.rows.window(w, hour, time.Hour, true, true)
		for _, width := range widths[1:] {
			g.add(w, hour, next, width)
		}
		if err := g.rows.send(ctx, conn, false); err != nil {
			return err
		}
	}
	// Windows and blocks are left alone until two minutes after their end.
	g.minutes(this, now, now.Add(-2*time.Minute), false)
	for _, width := range widths[1:] {
		g.write(now, width)
	}
	return g.rows.send(ctx, conn, true)
}

// add adds a window to the block in which it is, and writes that when the window is its last one.
func (g *generator) add(w *window, from, to time.Time, width time.Duration) {
	if g.open[width] == nil {
		g.open[width] = newWindow(g.service)
	}
	g.open[width].add(w)
	if to.Truncate(width).Equal(to) {
		g.write(from, width)
	}
}

// write writes the block of a moment as far as it is added up.
func (g *generator) write(at time.Time, width time.Duration) {
	w := g.open[width]
	if w == nil {
		return
	}
	g.rows.block(w, at.Truncate(width), width)
	if width == 24*time.Hour {
		g.rows.window(w, at.Truncate(width), width, true, true)
	}
	delete(g.open, width)
}

// minutes writes the minutes from from to to, and the blocks of ten minutes that ended before closed. It returns what
// happened in all of them.
func (g *generator) minutes(from, to, closed time.Time, rolled bool) *window {
	all := newWindow(g.service)
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		w := g.happen(g.service, 60, g.random)
		all.add(w)
		block := at.Truncate(widths[0])
		done := !block.Add(widths[0]).After(closed)
		g.rows.window(w, at, time.Minute, rolled, done)
		if !done {
			continue
		}
		g.add(w, at, at.Add(time.Minute), widths[0])
		if !rolled { // or it is a part of its hour, and is added with that
			for _, width := range widths[1:] {
				g.add(w, at, at.Add(time.Minute), width)
			}
		}
	}
	return all
}
