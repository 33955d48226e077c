package postgres

import (
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// A Class says what has to be done about an error of the database. Every transaction may be tried again whatever its
// error was; the class decides how soon and what must happen before.
type Class uint8

const (
	Healthy          Class = iota // no error
	Retry                         // lock time-out, deadlock, statement time-out, and everything unknown: again, with back-off
	Unreachable                   // no connection, or it was lost: again, on a new one
	Overloaded                    // out of connections, memory or disk: again, with back-off
	ReadOnly                      // the server is a standby: again, on a new connection
	Misconfigured                 // login, rights or schema: ends the program at start, is tried every 30 s later
	BadRow                        // the data of a row is refused: that row becomes a dead letter
	MissingPartition              // there is no partition for a row: it is made
)

// String returns the word used in logs and by the readiness check.
func (c Class) String() string {
	switch c {
	case Healthy:
		return "healthy"
	case Unreachable:
		return "unreachable"
	case Overloaded:
		return "overloaded"
	case ReadOnly:
		return "read-only"
	case Misconfigured:
		return "misconfigured"
	case BadRow:
		return "bad row"
	case MissingPartition:
		return "missing partition"
	default:
		return "failing"
	}
}

// Classify returns the class of err, which comes from pgx or is nil.
func Classify(err error) Class {
	if err == nil {
		return Healthy
	}
	var p *pgconn.PgError
	if errors.As(err, &p) {
		return classifyState(p)
	}
	if errors.Is(err, errNotCommitted) || errors.Is(err, errCut) {
		return Retry
	}
	return Unreachable // the network, a time-out of ours, an answer that is none
}

func classifyState(p *pgconn.PgError) Class {
	code := p.Code
	switch code {
	case "08P01":
		if strings.HasPrefix(p.Where, "COPY ") { // the bytes of a value are too few for the column's type: as below
			return Misconfigured
		}
		return Unreachable // a pooler's words for it
	case "57P01", "57P02", "57P03", "57P05", "25P03": // shut down, crashed, starting up, idle for too long
		return Unreachable
	case "25006":
		return ReadOnly
	case "22P03", "22P04": // our encoding does not fit the column's type: the table was changed, no row is to blame
		return Misconfigured
	case "54000", "54001": // a value beyond a limit of the server, a document nested too deep
		return BadRow
	case "23514":
		if p.ConstraintName == "" { // "no partition of relation found for row" names the table only
			return MissingPartition
		}
		return BadRow
	}
	if len(code) < 2 {
		return Retry
	}
	switch code[:2] {
	case "08":
		return Unreachable
	case "53":
		return Overloaded
	case "22", "23":
		return BadRow
	case "28", "3D", "3F", "42":
		return Misconfigured
	}
	return Retry
}

// sqlState returns the SQLSTATE of err, "" when it has none.
func sqlState(err error) string {
	var p *pgconn.PgError
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

// describe returns what may be logged about err. The message of a refused value quotes the value, and so do the detail
// and the context of every error: of those the code must do.
func describe(err error) string {
	var p *pgconn.PgError
	if !errors.As(err, &p) {
		return err.Error()
	}
	if Classify(err) == BadRow {
		return "SQLSTATE " + p.Code
	}
	return p.Message + " (SQLSTATE " + p.Code + ")"
}

// refusedRow reads from the context of err which row of a COPY was refused, counted from 1, and in which column. The
// row is 0 when the context does not tell. The context reads "COPY log_events, line 3, column attrs: ...".
func refusedRow(err error) (row int, column string) {
	var p *pgconn.PgError
	if !errors.As(err, &p) {
		return 0, ""
	}
	for context := range strings.Lines(p.Where) {
		context, ok := strings.CutPrefix(context, "COPY ")
		if !ok {
			continue
		}
		_, rest, ok := strings.Cut(context, ", line ")
		if !ok {
			continue
		}
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		row, err := strconv.Atoi(rest[:digits])
		if err != nil {
			continue
		}
		if name, ok := strings.CutPrefix(rest[digits:], ", column "); ok {
			column = strings.TrimRight(name[:columnEnd(name)], "\n")
		}
		return row, column
	}
	return 0, ""
}

func columnEnd(s string) int {
	if i := strings.IndexAny(s, ":\n"); i >= 0 {
		return i
	}
	return len(s)
}
