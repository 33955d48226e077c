package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

const (
	// Looking first, so that opening a known source burns no number of the identity column; in order, so that two who
	// insert the same keys wait for each other and do not deadlock.
	createPositionsSQL = `
INSERT INTO schema.log_positions (source_key, meta)
SELECT u.key, u.meta::jsonb FROM unnest($1::text[], $2::text[]) AS u(key, meta)
WHERE NOT EXISTS (SELECT FROM schema.log_positions p WHERE p.source_key = u.key)
ORDER BY u.key COLLATE "C"
ON CONFLICT (source_key) DO NOTHING`

	readPositionsSQL = `SELECT ` + positionColumns + ` FROM schema.log_positions WHERE source_key = ANY($1::text[])`

	// maxCreations is how many rows are created in one transaction.
	maxCreations = 1000
)

// A creation is a row that somebody waits for.
type creation struct {
	key, meta string
	done      chan struct{} // closed when found and err are valid
	found     pipeline.Checkpoint
	err       error
}

// Create implements [pipeline.Checkpoints].
func (p *checkpoints) Create(ctx context.Context, key string, meta []byte) (pipeline.Checkpoint, error) {
	for {
		r := &creation{key: key, meta: objectText(meta), done: make(chan struct{})}
		p.mu.Lock()
		p.waiting = append(p.waiting, r)
		p.mu.Unlock()
		if err := p.await(ctx, r); err != nil {
			return pipeline.Checkpoint{}, fmt.Errorf("create position of %s: %w", key, err)
		}
		switch {
		case r.err == nil:
			return r.found, nil
		case ctx.Err() == nil && (errors.Is(r.err, context.Canceled) || errors.Is(r.err, context.DeadlineExceeded)):
			// The caller who did it for us has given up.
		default:
			return pipeline.Checkpoint{}, fmt.Errorf("create position of %s: %w", key, r.err)
		}
	}
}

// await returns when r is done, by us or by somebody else, or ctx has ended.
func (p *checkpoints) await(ctx context.Context, r *creation) error {
	for {
		select {
		case <-r.done:
			return nil
		case c := <-p.turn:
			p.create(ctx, c, p.takeWaiting())
			p.turn <- c
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// takeWaiting takes those that have waited longest.
func (p *checkpoints) takeWaiting() []*creation {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(len(p.waiting), maxCreations)
	taken := slices.Clone(p.waiting[:n])
	p.waiting = slices.Delete(p.waiting, 0, n)
	return taken
}

// create creates all in one transaction. What the database refuses as wrong may be one of many: then each has its own.
func (p *checkpoints) create(ctx context.Context, c *client, all []*creation) {
	if len(all) == 0 {
		return
	}
	found, err := p.createRows(ctx, c, all)
	if err != nil && Classify(err) == BadRow && len(all) > 1 {
		for _, r := range all {
			p.create(ctx, c, []*creation{r})
		}
		return
	}
	for _, r := range all {
		row, ok := found[r.key]
		if r.found, r.err = row, err; err == nil && !ok {
			r.err = errors.New("it was deleted as soon as it was inserted")
		}
		close(r.done)
	}
}

func (p *checkpoints) createRows(ctx context.Context, c *client, all []*creation) (map[string]pipeline.Checkpoint, error) {
	unique := slices.Clone(all)
	slices.SortStableFunc(unique, func(a, b *creation) int { return cmp.Compare(a.key, b.key) })
	unique = slices.CompactFunc(unique, func(a, b *creation) bool { return a.key == b.key })
	keys, metas := make([]string, len(unique)), make([]string, len(unique))
	for i, r := range unique {
		keys[i], metas[i] = r.key, r.meta
	}
	found := make(map[string]pipeline.Checkpoint, len(keys))
	err := p.sink.until(ctx, partCheckpoints, c, func(ctx context.Context) error {
		return c.transact(ctx, func(b *pgx.Batch) {
			b.Queue(p.sink.sql.createPositions, keys, metas)
			b.Queue(p.sink.sql.readPositions, keys).Query(func(rows pgx.Rows) error {
				list, err := pgx.CollectRows(rows, scanCheckpoint)
				for _, row := range list {
					found[row.Key] = row
				}
				return err
			})
		})
	})
	return found, err
}
