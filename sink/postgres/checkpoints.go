package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

const (
	positionColumns = `source_id, source_key, epoch, position, meta`

	// A range, which an index serves whatever the version and however the statement was planned. The column's collation is
	// "C": what has the prefix stands together.
	listPositionsSQL = `
SELECT ` + positionColumns + ` FROM schema.log_positions
WHERE source_key >= $1::text AND source_key < $2::text AND NOT ($3::boolean AND meta @> '{"closed": true}')
ORDER BY source_key COLLATE "C"`

	amendPositionSQL = `
UPDATE schema.log_positions SET meta = meta || $4::text::jsonb, epoch = epoch + $5::integer,
	lost_bytes = lost_bytes + $6::bigint, position = CASE WHEN $7::boolean THEN 0 ELSE position END, updated_at = clock_timestamp()
WHERE source_id = $1::integer AND epoch = $2::bigint AND position = $3::bigint
RETURNING ` + positionColumns

	hasPositionSQL = `SELECT EXISTS (SELECT FROM schema.log_positions WHERE source_id = $1::integer)`
)

// checkpoints implements [pipeline.Checkpoints] on one connection, which its callers take in turn. What is to be created
// while somebody has it is created together by the next.
type checkpoints struct {
	sink *Sink
	turn chan *client // holds the client while nobody uses it

	mu      sync.Mutex
	waiting []*creation
}

func newCheckpoints(s *Sink, c *client) *checkpoints {
	turn := make(chan *client, 1)
	turn <- c
	return &checkpoints{sink: s, turn: turn}
}

// transact waits for its turn and for the database, and runs statements as one transaction.
func (p *checkpoints) transact(ctx context.Context, statements func(*pgx.Batch)) error {
	select {
	case c := <-p.turn:
		defer func() { p.turn <- c }()
		return p.sink.until(ctx, partCheckpoints, c, func(ctx context.Context) error {
			return c.transact(ctx, statements)
		})
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *checkpoints) close() {
	c := <-p.turn
	c.close()
	p.turn <- c
}

// List implements [pipeline.Checkpoints].
func (p *checkpoints) List(ctx context.Context, prefix string, open bool) ([]pipeline.Checkpoint, error) {
	var found []pipeline.Checkpoint
	err := p.transact(ctx, func(b *pgx.Batch) {
		b.Queue(p.sink.sql.listPositions, prefix, afterPrefix(prefix), open).Query(func(rows pgx.Rows) (err error) {
			found, err = pgx.CollectRows(rows, scanCheckpoint)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list positions of %s: %w", prefix, err)
	}
	return found, nil
}

// afterPrefix returns a text that stands, byte by byte, behind all keys that begin with prefix.
func afterPrefix(prefix string) string {
	last := len(prefix) - 1
	switch {
	case last < 0:
		return "\x7f" // keys begin with a letter
	case prefix[last] < 0x7f:
		return prefix[:last] + string(rune(prefix[last]+1))
	}
	return prefix + "\U0010FFFF"
}

// Amend implements [pipeline.Checkpoints].
func (p *checkpoints) Amend(ctx context.Context, c pipeline.Checkpoint, a pipeline.Amendment) (pipeline.Checkpoint, error) {
	var found []pipeline.Checkpoint
	var exists bool
	raise := 0
	if a.Fence {
		raise = 1
	}
	err := p.transact(ctx, func(b *pgx.Batch) {
		b.Queue(p.sink.sql.amendPosition, c.ID, c.Epoch, c.Position, objectText(a.Meta), raise, a.LostBytes, a.Rewind).
			Query(func(rows pgx.Rows) (err error) {
				found, err = pgx.CollectRows(rows, scanCheckpoint)
				return err
			})
		b.Queue(p.sink.sql.hasPosition, c.ID).QueryRow(func(row pgx.Row) error { return row.Scan(&exists) })
	})
	switch {
	case err != nil:
		return pipeline.Checkpoint{}, fmt.Errorf("amend position of %s: %w", c.Key, err)
	case len(found) == 1:
		return found[0], nil
	case exists:
		return pipeline.Checkpoint{}, pipeline.ErrMoved
	default:
		return pipeline.Checkpoint{}, pipeline.ErrGone
	}
}

func objectText(meta []byte) string {
	if len(meta) == 0 {
		return "{}"
	}
	return string(meta)
}

func scanCheckpoint(row pgx.CollectableRow) (c pipeline.Checkpoint, err error) {
	err = row.Scan(&c.ID, &c.Key, &c.Epoch, &c.Position, (*[]byte)(&c.Meta))
	return c, err
}
