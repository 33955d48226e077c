package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"logflume/sink/postgres"
)

// lettersError adds to an error what to do about it.
func lettersError(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" {
		return fmt.Errorf("%w: to list and show, connect as log_reader or as the owner of the tables; to replay and purge, "+
			"as the owner (a member of log_owner): with --database-url, or database.maintenance_url", err)
	}
	return withRemedy(err)
}

// printLetters prints a table.
func printLetters(to io.Writer, letters []postgres.Letter) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tRECEIVED\tSOURCE\tOFFSET\tBYTES\tREASON")
	for i := range letters {
		l := &letters[i]
		fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%d\t%s\n",
			l.ID, l.Received.UTC().Format(time.RFC3339), printable(sourceOf(l)), l.Offset, l.Length, printable(l.Reason))
	}
	return table.Flush()
}

// sourceOf names the source of a letter as well as it can be.
func sourceOf(l *postgres.Letter) string {
	for _, name := range []*string{l.Path, l.SourceKey} {
		if name != nil && *name != "" {
			return *name
		}
	}
	return strconv.Itoa(int(l.SourceID))
}

// printLetter prints all there is about a letter, and its bytes in a form that does nothing to a terminal.
func printLetter(to io.Writer, l *postgres.Letter) error {
	key, state, whole := "(gone)", "", "the line as a whole"
	if l.SourceKey != nil {
		key = *l.SourceKey
	}
	if l.SQLState != nil {
		state = " (SQLSTATE " + *l.SQLState + ")"
	}
	if l.Event != nil {
		whole = fmt.Sprintf("event %d of the line", *l.Event)
	}
	if l.Truncated {
		whole += "; only its head was kept"
	}
	_, err := fmt.Fprintf(to, "id        %d\nreceived  %s\nsource    %s\nkey       %s (source_id %d)\noffset    %d\nbytes     %d\nwhat      %s\nreason    %s%s\n\n%s",
		l.ID, l.Received.UTC().Format(time.RFC3339Nano), printable(sourceOf(l)), printable(key), l.SourceID, l.Offset, l.Length, whole,
		printable(l.Reason), state, readable(l.Raw))
	return err
}

// readable returns text as it is but for control characters, which are escaped, and other bytes as a dump.
func readable(raw []byte) string {
	if !utf8.Valid(raw) || strings.ContainsRune(string(raw), 0) {
		return hex.Dump(raw)
	}
	return printable(string(raw)) + "\n"
}

// printable escapes what a terminal would act upon. Line ends and tabs stay.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
