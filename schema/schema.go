package schema

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// Version is the version of the schema that this program needs: the number of the last file.
const Version int64 = 29

//go:embed 0*.sql
var files embed.FS

//go:embed roles.sql
var rolesSQL string

// A migration is one embedded file.
type migration struct {
	version int64
	name    string
	sql     string
}

// migrations returns the embedded files in the order of their versions.
func migrations() ([]migration, error) {
	names, err := fs.Glob(files, "*.sql") // sorted
	if err != nil {
		return nil, err
	}
	all := make([]migration, 0, len(names))
	for _, name := range names {
		version, err := strconv.ParseInt(name[:4], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("version of %s: %w", name, err)
		}
		sql, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		all = append(all, migration{version: version, name: name, sql: string(sql)})
	}
	return all, nil
}

var validName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// CheckName says what is wrong with the name of a schema.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("%q is no schema name: use small letters, digits and _, not beginning with a digit, at most 63", name)
	}
	return nil
}

// path returns the statement under which all our SQL runs. What the path does not name, pg_catalog, is searched first.
func path(schemaName string) string {
	return "SET LOCAL search_path = " + quoted(schemaName) + ", pg_temp;\n"
}

// versionTable returns the statement that starts a schema at version 0. It names the schema, to be refused when we may
// not make objects there; with search_path alone they would all become temporary tables.
func versionTable(schemaName string) string {
	return "CREATE TABLE " + quoted(schemaName) + `.log_schema_versions (
    version    bigint      PRIMARY KEY,
    name       text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
`
}

func quoted(schemaName string) string { return pgx.Identifier{schemaName}.Sanitize() }

// record returns the statement that notes m as applied.
func (m migration) record() string {
	return fmt.Sprintf("INSERT INTO log_schema_versions (version, name) VALUES (%d, '%s');\n", m.version, m.name)
}
