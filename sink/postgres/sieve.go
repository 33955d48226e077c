package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

const (
	mostSieved  = 1024 // rows sent at once while looking for bad ones
	leastSieved = 8    // where bad ones are many: what follows a bad row was sent in vain
)

// A refusal is a row that Postgres does not take.
type refusal struct {
	row    int // index
	state  string
	column string
}

// sieve finds the rows that a COPY cannot store, turns each into a dead letter, and counts their parts again. It
// returns how many it found. All others stay; the next try commits them.
func (c *committer) sieve(ctx context.Context, failed *copyError) (found int, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.sink.pace.call)
	defer cancel()
	err = c.conn.send(ctx, func(b *pgx.Batch) { b.Queue("SAVEPOINT sieve") })
	if err != nil {
		return 0, err
	}
	defer c.conn.rollback(ctx) // everything: what is good is stored with its position, by the next try
	switch failed.statement {
	case c.sink.sql.copyEvents:
		return c.sieveEvents(ctx, failed)
	case c.sink.sql.copyShares:
		return c.sieveShares(ctx, failed)
	}
	return 0, nil
}

func (c *committer) sieveEvents(ctx context.Context, failed *copyError) (found int, err error) {
	for _, l := range failed.passed {
		for _, p := range l.parts {
			before := found
			for _, b := range p.batches {
				bad, err := c.refused(ctx, failed.statement, tuples{data: b.Rows, ends: b.RowEnds})
				if len(bad) > 0 {
					reject(b, bad)
					found += len(bad)
				}
				if err != nil {
					if found > before {
						p.count(c.aggregate)
					}
					return found, err
				}
			}
			if found > before {
				p.count(c.aggregate)
			}
		}
	}
	return found, nil
}

// sieveShares takes shares out that Postgres refuses. That is a fault of the analysis, not of a line; but neither may
// it stop the lines, nor may it go unseen.
func (c *committer) sieveShares(ctx context.Context, failed *copyError) (found int, err error) {
	for _, l := range failed.passed {
		for _, p := range l.parts {
			bad, err := c.refused(ctx, failed.statement, p.shares)
			for i, r := range bad {
				p.removeShare(r.row-i, r)
			}
			found += len(bad)
			if err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

// refused returns the rows of t that a COPY refuses, in order. Each try begins by undoing the one before, in the same
// round trip. Its error is one that is not about rows.
func (c *committer) refused(ctx context.Context, statement string, t tuples) (bad []refusal, err error) {
	statement = "ROLLBACK TO SAVEPOINT sieve; " + statement
	for at, size := 0, mostSieved; at < len(t.ends); {
		end := min(at+size, len(t.ends))
		err := c.conn.copyIn(ctx, statement, [][]byte{t.span(at, end)})
		if err == nil {
			at, size = end, min(2*size, mostSieved)
			continue
		}
		if class := Classify(err); class != BadRow && class != MissingPartition {
			return bad, err
		}
		row, column := refusedRow(err)
		switch {
		case row > 0 && row <= end-at:
			at += row - 1
		case end-at > 1: // it does not say which: look for it in halves
			size = (end - at) / 2
			continue
		}
		bad = append(bad, refusal{row: at, state: sqlState(err), column: column})
		at, size = at+1, max(size/2, leastSieved)
	}
	return bad, nil
}

// reject gives the events of the refused rows the Fate Rejected, takes their tuples out, and adds their dead letters.
func reject(b *pipeline.Batch, bad []refusal) {
	rows := tuples{data: b.Rows, ends: b.RowEnds}
	data, ends := b.Rows[:0], b.RowEnds[:0]
	start := 0
	row := 0
	for i := range b.Events {
		e := &b.Events[i]
		if e.Fate != pipeline.Keep {
			continue
		}
		end := rows.ends[row]
		if len(bad) > 0 && bad[0].row == row {
			e.Fate = pipeline.Rejected
			b.RejectEvent(e, bad[0].reason())
			b.Dead[len(b.Dead)-1].SQLState = bad[0].state
			bad = bad[1:]
		} else {
			data = append(data, rows.data[start:end]...) // never beyond what was read: it moves to the front
			ends = append(ends, len(data))
		}
		start = end
		row++
	}
	b.Rows, b.RowEnds = data, ends
}

// reason is constant for a column, and free of data.
func (r refusal) reason() string {
	if r.column == "" {
		return "row refused by the database"
	}
	return "row refused by the database: column " + r.column
}

// removeShare takes share i out and leaves a dead letter with its tuple.
func (p *part) removeShare(i int, r refusal) {
	raw := p.shares.span(i, i+1)
	p.dead = appendDeadLetter(p.dead, &pipeline.DeadLetter{
		Offset: p.from, Event: pipeline.WholeLine, Length: int64(len(raw)), Reason: "share of the analysis refused by the database",
		SQLState: r.state, Raw: raw,
	}, p.stream.ID, p.batches[0].Received)

	start := p.shares.ends[i] - len(raw)
	size := len(raw)
	p.shares.data = append(p.shares.data[:start], p.shares.data[start+size:]...)
	p.shares.ends = append(p.shares.ends[:i], p.shares.ends[i+1:]...)
	for k := i; k < len(p.shares.ends); k++ {
		p.shares.ends[k] -= size
	}
}
