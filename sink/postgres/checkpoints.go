package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

const (
	// Looking first, so that opening a known source burns no number of the identity column.
	createPositionSQL = `
INSERT INTO schema.log_positions (source_key, meta) SELECT $1::text, $2::text::jsonb
WHERE NOT EXISTS (SELECT FROM schema.log_positions WHERE source_key = $1::text)
ON CONFLICT (source_key) DO NOTHING`

	positionColumns = `source_id, source_key, epoch, position, meta`

	readPositionSQL = `SELECT ` + positionColumns + ` FROM schema.log_positions WHERE source_key = $1::text`

	listPositionsSQL = `
SELECT ` + positionColumns + ` FROM schema.log_positions
WHERE starts_with(source_key, $1::text) AND NOT ($2::boolean AND meta @> '{"closed": true}')
ORDER BY source_key COLLATE "C"`

	amendPositionSQL = `
UPDATE schema.log_positions SET meta = meta || $4::text::jsonb, epoch = epoch + $5::integer,
	lost_bytes = lost_bytes + $6::bigint, position = CASE WHEN $7::boolean THEN 0 ELSE position END, updated_at = clock_timestamp()
WHERE source_id = $1::integer AND epoch = $2::bigint AND position = $3::bigint
RETURNING ` + positionColumns

	hasPositionSQL = `SELECT EXISTS (SELECT FROM schema.log_positions WHERE source_id = $1::integer)`
)

// checkpoints implements [pipeline.Checkpoints] on one connection, which its callers take in turn.
type checkpoints struct {
	sink *Sink
	turn chan *client // holds the client while nobody uses it
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

// Create implements [pipeline.Checkpoints].
func (p *checkpoints) Create(ctx context.Context, key string, meta []byte) (pipeline.Checkpoint, error) {
	var found pipeline.Checkpoint
	err := p.transact(ctx, func(b *pgx.Batch) {
		b.Queue(p.sink.sql.createPosition, key, objectText(meta))
		b.Queue(p.sink.sql.readPosition, key).Query(func(rows pgx.Rows) (err error) {
			found, err = pgx.CollectExactlyOneRow(rows, scanCheckpoint)
			return err
		})
	})
	if err != nil {
		return pipeline.Checkpoint{}, fmt.Errorf("create position of %s: %w", key, err)
	}
	return found, nil
}

// List implements [pipeline.Checkpoints].
func (p *checkpoints) List(ctx context.Context, prefix string, open bool) ([]pipeline.Checkpoint, error) {
	var found []pipeline.Checkpoint
	err := p.transact(ctx, func(b *pgx.Batch) {
		b.Queue(p.sink.sql.listPositions, prefix, open).Query(func(rows pgx.Rows) (err error) {
			found, err = pgx.CollectRows(rows, scanCheckpoint)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list positions of %s: %w", prefix, err)
	}
	return found, nil
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
