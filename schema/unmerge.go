package schema

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrNoPattern is what [Unmerge] ends with when no pattern has the id that it was given.
var ErrNoPattern = errors.New("there is no pattern")

// Unmerge undoes the merge that made a pattern, or keeps a pattern out of any, and returns how many others were set apart.
// The user must be the writer or the owner.
func Unmerge(ctx context.Context, url, schemaName string, pattern int64) (apart int, err error) {
	err = inTransaction(ctx, url, schemaName, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "SELECT "+quoted(schemaName)+".unmerge_pattern($1)", pgx.QueryExecModeExec, pattern).Scan(&apart)
	})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "22023" {
		return 0, fmt.Errorf("%w %d in schema %s: merged_patterns lists them", ErrNoPattern, pattern, schemaName)
	}
	return apart, err
}

// Remerge takes back [Unmerge], and reports whether there was something to take back.
func Remerge(ctx context.Context, url, schemaName string, pattern int64) (was bool, err error) {
	err = inTransaction(ctx, url, schemaName, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, "SELECT "+quoted(schemaName)+".remerge_pattern($1)", pgx.QueryExecModeExec, pattern).Scan(&was)
	})
	return was, err
}
