package chaos

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A Verdict is what Check found.
type Verdict struct {
	Rows       int64
	Missing    int64    // numbers without a row
	Duplicated int64    // rows beyond the first of their number
	Destroyed  int64    // lines without a row that rotations destroyed
	LostBytes  int64    // that the ledger says were cut off before they could be read
	Problems   []string // everything that is wrong, for a person; empty when all is right
}

// Check looks whether the tables of a schema hold what was written in this form, each number exactly once, and account for
// all of it. The error says that it could not look.
func Check(ctx context.Context, conn *pgx.Conn, schemaName string, form Form, account Account) (v Verdict, err error) {
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		v, err = Examine(ctx, tx, schemaName, form, account)
		return err
	})
	return v, err
}

// Examine is [Check] in a transaction that sees one state of all tables.
func Examine(ctx context.Context, tx pgx.Tx, schemaName string, form Form, account Account) (v Verdict, err error) {
	if _, err := tx.Exec(ctx, "set local search_path = "+pgx.Identifier{schemaName}.Sanitize()); err != nil {
		return v, err
	}
	if err := tx.QueryRow(ctx, "select count(*) from log_events").Scan(&v.Rows); err != nil {
		return v, err
	}
	if err := tx.QueryRow(ctx, "select coalesce(sum(lost_bytes), 0)::bigint from log_positions").Scan(&v.LostBytes); err != nil {
		return v, err
	}
	arguments := account.arguments()
	for _, e := range form.examinations() {
		var wrong int64
		var examples []string
		if err := tx.QueryRow(ctx, e.query, arguments...).Scan(&wrong, &examples); err != nil {
			return v, fmt.Errorf("look whether %s: %w", e.what, err)
		}
		switch e.what {
		case missing:
			v.Missing = wrong
		case duplicated:
			v.Duplicated = wrong
		}
		if wrong > 0 {
			examples = examples[:min(mostExamples, len(examples))]
			v.Problems = append(v.Problems, fmt.Sprintf("%d %s:\n\t%s", wrong, e.what, strings.Join(examples, "\n\t")))
		}
	}
	for _, lines := range account.Lines {
		v.Destroyed += lines
	}
	v.Destroyed -= v.Missing + v.Rows - v.Duplicated
	return v, nil
}
