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
