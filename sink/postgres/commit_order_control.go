//go:build control_position_first || control_rows_first

package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// begin starts a transaction that moves no position.
func (t *transaction) begin(ctx context.Context) error {
	return t.committer.conn.send(ctx, func(*pgx.Batch) {})
}

// between comes after the first commit and before the second: a moment for a kill to fall into, on any machine.
func (t *transaction) between(ctx context.Context) error {
	return t.committer.conn.exec(ctx, "SELECT pg_sleep(0.02)")
}
