package schema

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Migrate creates the schema or brings it to [Version], and returns the versions before and after; 0 is none. A schema
// newer than this program is left alone and gives [ErrNewer]. It waits for a migration that another process is running.
//
// This is our own loop and not a migration library's because it is a single transaction: goose and its like commit file
// by file, poll a session's lock, which a pooler does not carry, need the schema before their table of versions can be
// made in it, and want marks around each function body, which the output of [Print] would have to carry too.
func Migrate(ctx context.Context, url, schemaName string) (from, to int64, err error) {
	err = inTransaction(ctx, url, schemaName, func(tx pgx.Tx) error {
		from, err = version(ctx, tx, schemaName)
		if err != nil {
			return remedy(err)
		}
		to = from
		switch {
		case from > Version:
			return newer(schemaName, from)
		case from == Version:
			return nil
		}
		if err := becomeOwner(ctx, tx, schemaName); err != nil {
			return err
		}
		to = Version
		return apply(ctx, tx, schemaName, from)
	})
	if err != nil {
		return from, from, fmt.Errorf("migrate schema %s: %w", schemaName, err)
	}
	return from, to, nil
}

// inTransaction runs f on a connection of its own, in a transaction that holds the lock of this schema's migrations.
func inTransaction(ctx context.Context, url, schemaName string, f func(pgx.Tx) error) error {
	if err := CheckName(schemaName); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	// Read committed, so that what is read after the lock is what the one before us committed.
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('logflume migrate'), hashtext($1))", schemaName); err != nil {
			return fmt.Errorf("wait for other migrations: %w", err)
		}
		return f(tx)
	})
}

// version returns the version of the schema, 0 when it or its table of versions does not exist.
func version(ctx context.Context, db querier, schemaName string) (int64, error) {
	var exists bool
	err := db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = 'log_schema_versions')`, schemaName).Scan(&exists)
	if err != nil || !exists {
		return 0, err
	}
	var v int64
	err = db.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+quoted(schemaName)+".log_schema_versions").Scan(&v)
	return v, err
}

// querier is what connections and transactions have in common here.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// becomeOwner makes new objects belong to the owner of an existing schema, when the user may act as that role.
func becomeOwner(ctx context.Context, tx pgx.Tx, schemaName string) error {
	var owner string
	err := tx.QueryRow(ctx, `SELECT pg_get_userbyid(nspowner) FROM pg_namespace
		WHERE nspname = $1 AND pg_get_userbyid(nspowner) <> current_user AND pg_has_role(nspowner, 'MEMBER')`, schemaName).Scan(&owner)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "SET LOCAL ROLE "+pgx.Identifier{owner}.Sanitize())
	return remedy(err)
}

// apply runs the files after version from.
func apply(ctx context.Context, tx pgx.Tx, schemaName string, from int64) error {
	all, err := migrations()
	if err != nil {
		return err
	}
	if from == 0 {
		if err := create(ctx, tx, schemaName); err != nil {
			return err
		}
	}
	if err := script(ctx, tx, path(schemaName)); err != nil {
		return err
	}
	for _, m := range all {
		if m.version <= from {
			continue
		}
		if err := script(ctx, tx, m.sql+m.record()); err != nil {
			return fmt.Errorf("apply %s: %w", m.name, remedy(err))
		}
	}
	return nil
}

// create makes the schema, unless it is there, and its table of versions. CREATE SCHEMA IF NOT EXISTS would ask for
// rights on the database even when there is nothing to create.
func create(ctx context.Context, tx pgx.Tx, schemaName string) error {
	var exists bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schemaName).Scan(&exists)
	if err != nil {
		return err
	}
	if !exists {
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+quoted(schemaName)); err != nil {
			return remedy(err)
		}
	}
	_, err = tx.Exec(ctx, versionTable(schemaName))
	return remedy(err)
}

// script runs several statements.
func script(ctx context.Context, tx pgx.Tx, sql string) error {
	_, err := tx.Conn().PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// remedy adds to a refusal for want of rights what to do about it.
func remedy(err error) error {
	if isRefused(err) {
		return fmt.Errorf("%w: connect as the owner of the schema, or as a user who may create schemas in this database", err)
	}
	return err
}

// isRefused reports whether Postgres refused a statement for want of rights.
func isRefused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42501" // insufficient_privilege
}
