package schema

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// What can be wrong with a schema. The errors that wrap these say what to do.
var (
	ErrMissing = errors.New("schema is missing")
	ErrOlder   = errors.New("schema is older than this program")
	ErrNewer   = errors.New("schema is newer than this program")
	ErrRights  = errors.New("rights are missing")
)

// Check reports whether the schema is at [Version] and the connection's user may do what a writer does. It returns one of
// the errors above, wrapped, or the connection's.
func Check(ctx context.Context, conn *pgx.Conn, schemaName string) error {
	if err := CheckVersion(ctx, conn, schemaName); err != nil {
		return err
	}
	return checkRights(ctx, conn, schemaName)
}

// CheckVersion reports whether the schema is at [Version], for those who do not write.
func CheckVersion(ctx context.Context, conn *pgx.Conn, schemaName string) error {
	if err := CheckName(schemaName); err != nil {
		return err
	}
	return checkVersion(ctx, conn, schemaName)
}

func checkVersion(ctx context.Context, db querier, schemaName string) error {
	v, err := version(ctx, db, schemaName)
	switch {
	case isRefused(err):
		return rights(schemaName, err.Error())
	case err != nil:
		return fmt.Errorf("read version of schema %s: %w", schemaName, err)
	case v == 0:
		return fmt.Errorf("%w: database has no logflume tables in schema %s: run `logflume migrate`", ErrMissing, schemaName)
	case v < Version:
		return fmt.Errorf("%w: schema %s is at version %d, needed is %d: run `logflume migrate`", ErrOlder, schemaName, v, Version)
	case v > Version:
		return newer(schemaName, v)
	}
	return nil
}

func newer(schemaName string, v int64) error {
	return fmt.Errorf("%w: schema %s is at version %d, this program knows %d: use a newer logflume", ErrNewer, schemaName, v, Version)
}

// checkRights looks up what a writer must be allowed to do. An object that does not exist counts as not allowed.
func checkRights(ctx context.Context, conn *pgx.Conn, schemaName string) error {
	rows, err := conn.Query(ctx, `
		SELECT 'USAGE on schema ' || $1 WHERE NOT has_schema_privilege($1, 'USAGE')
		UNION ALL
		SELECT r.needed || ' on ' || r.name
		FROM (VALUES ('log_events', 'INSERT'), ('log_analytics', 'INSERT'), ('log_dead_letters', 'INSERT'),
		             ('log_patterns', 'SELECT'), ('log_patterns', 'INSERT'), ('log_pattern_aliases', 'SELECT'),
		             ('log_positions', 'SELECT'), ('log_positions', 'INSERT'), ('log_positions', 'UPDATE'),
		             ('log_instances', 'SELECT'), ('log_instances', 'INSERT'), ('log_instances', 'UPDATE')) r (name, needed)
		LEFT JOIN pg_class c ON c.relname = r.name AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
		WHERE NOT coalesce(has_table_privilege(c.oid, r.needed) OR
		                   r.needed = 'UPDATE' AND has_any_column_privilege(c.oid, r.needed), false)
		UNION ALL
		SELECT 'EXECUTE on ' || f.name
		FROM unnest(ARRAY['list_partitions', 'ensure_partition', 'ensure_partitions', 'drop_expired', 'compact',
		                  'store_aliases', 'unmerge_pattern', 'remerge_pattern', 'pack_registers']) f (name)
		LEFT JOIN pg_proc p ON p.proname = f.name AND p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
		WHERE NOT coalesce(has_function_privilege(p.oid, 'EXECUTE'), false)`, schemaName)
	if err != nil {
		return fmt.Errorf("look up rights on schema %s: %w", schemaName, err)
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look up rights on schema %s: %w", schemaName, err)
	}
	if len(missing) > 0 {
		return rights(schemaName, strings.Join(missing, ", "))
	}
	return nil
}

func rights(schemaName, what string) error {
	return fmt.Errorf("%w in schema %s: %s: connect as log_writer or as the owner; `logflume migrate --roles` makes the roles",
		ErrRights, schemaName, what)
}
