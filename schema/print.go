package schema

import (
	"fmt"
	"io"
)

// Print writes the SQL that creates the schema, as one transaction that psql can run; [Migrate] takes over from there.
func Print(w io.Writer, schemaName string) error {
	if err := CheckName(schemaName); err != nil {
		return err
	}
	all, err := migrations()
	if err != nil {
		return err
	}
	head := "CREATE SCHEMA IF NOT EXISTS " + quoted(schemaName) + ";\n" + versionTable(schemaName) + path(schemaName)
	if _, err := fmt.Fprint(w, "BEGIN;\n"+head); err != nil {
		return err
	}
	for _, m := range all {
		if _, err := fmt.Fprintf(w, "\n---------- %s\n\n%s%s", m.name, m.sql, m.record()); err != nil {
			return err
		}
	}
	_, err = fmt.Fprint(w, "\nCOMMIT;\n")
	return err
}
