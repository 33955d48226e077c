package schema

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Roles makes the roles log_owner, log_writer and log_reader where they are missing, gives the schema to log_owner and
// the others the rights they need. Running it again is harmless. The user must own the schema and be allowed to create
// roles, or be a superuser; the last two roles get no password. A schema that is not at [Version] gives [ErrMissing],
// [ErrOlder] or [ErrNewer].
//
// The right to temporary tables and large objects, which every role has by default, stays: see roles.sql.
func Roles(ctx context.Context, url, schemaName string) error {
	err := inTransaction(ctx, url, schemaName, func(tx pgx.Tx) error {
		if err := checkVersion(ctx, tx, schemaName); err != nil {
			return err
		}
		err := script(ctx, tx, path(schemaName)+rolesSQL)
		if isRefused(err) {
			return fmt.Errorf("%w: connect as a superuser, or as the owner of schema and database with CREATEROLE", err)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("make roles for schema %s: %w", schemaName, err)
	}
	return nil
}
