package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

// A transaction is one try to commit some lanes. What run does in which order is in commit_order.go.
type transaction struct {
	committer *committer
	lanes     []*lane // all that take part
	passed    []*lane // those whose position could be moved
}

// move starts the transaction and moves the positions, in one round trip. Lanes that did not pass are dealt with.
func (t *transaction) move(ctx context.Context) error {
	var went []int32
	err := t.committer.conn.send(ctx, func(b *pgx.Batch) {
		b.Queue(t.committer.sink.sql.advance, advanceArgs(t.lanes)...).Query(func(rows pgx.Rows) (err error) {
			went, err = pgx.CollectRows(rows, pgx.RowTo[int32])
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("move positions: %w", err)
	}
	return t.split(ctx, went)
}

// split divides the lanes into those that passed and those that did not, and deals with the latter.
func (t *transaction) split(ctx context.Context, went []int32) error {
	through := make(map[int32]bool, len(went))
	for _, id := range went {
		through[id] = true
	}
	var missed []*lane
	t.passed = t.passed[:0]
	for _, l := range t.lanes {
		if through[l.stream.ID] {
			t.passed = append(t.passed, l)
		} else {
			missed = append(missed, l)
		}
	}
	if len(missed) == 0 {
		return nil
	}
	c := t.committer
	marks, err := readMarks(ctx, c.conn.conn, c.sink.sql.reread, missed)
	if err != nil {
		return fmt.Errorf("read positions: %w", err)
	}
	for _, l := range missed {
		m, exists := marks[l.stream.ID]
		c.settle(l, l.judge(m, exists))
	}
	return nil
}

// store copies the rows, shares and dead letters of the lanes that passed.
func (t *transaction) store(ctx context.Context) error {
	var events, shares, dead [][]byte
	for _, l := range t.passed {
		for b := range l.batches {
			events = appendPiece(events, b.Rows)
		}
		for _, p := range l.parts {
			shares = appendPiece(shares, p.shares.data)
			dead = appendPiece(dead, p.dead)
		}
	}
	sql := &t.committer.sink.sql
	for _, c := range [...]struct {
		statement string
		pieces    [][]byte
	}{{sql.copyEvents, events}, {sql.copyShares, shares}, {sql.copyDead, dead}} {
		if len(c.pieces) == 0 {
			continue
		}
		if err := t.committer.conn.copyIn(ctx, c.statement, c.pieces); err != nil {
			return &copyError{statement: c.statement, passed: t.passed, err: err}
		}
	}
	return nil
}

func appendPiece(pieces [][]byte, p []byte) [][]byte {
	if len(p) == 0 {
		return pieces
	}
	return append(pieces, p)
}

// A copyError is the failure of one COPY.
type copyError struct {
	statement string
	passed    []*lane // whose rows it sent
	err       error
}

func (e *copyError) Error() string { return "copy rows: " + describe(e.err) }
func (e *copyError) Unwrap() error { return e.err }

var errNotCommitted = errors.New("the server rolled the transaction back at its commit")

// commit ends the transaction. From the moment it is sent nobody knows whether it took place until an answer comes or
// the positions are read again; asked is what they will be if it did.
func (t *transaction) commit(ctx context.Context) error {
	for _, l := range t.passed {
		l.asked = l.to()
	}
	tag, err := t.committer.conn.conn.Exec(ctx, "COMMIT")
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if tag.String() != "COMMIT" {
		return errNotCommitted
	}
	return nil
}

// done tells the streams that passed.
func (t *transaction) done() {
	c := t.committer
	for _, l := range t.passed {
		c.committed(l, l.to())
	}
	c.sink.options.Stats.Flushes.Add(1)
}

var _ pipeline.Sink = (*Sink)(nil)
