package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// A LetterSelection says which dead letters are meant: those that fit all that is set.
type LetterSelection struct {
	IDs    []int64
	Since  time.Time // received then or later
	Before time.Time // received earlier
	Reason string    // what the reason begins with
	Source string    // source_id, source_key or path; * stands for anything
}

// A Letter is a row of log_dead_letters and what is known of its source.
type Letter struct {
	ID        int64     `json:"id"`
	Received  time.Time `json:"received_at"`
	SourceID  int32     `json:"source_id"`
	SourceKey *string   `json:"source_key"` // nil when the source's row is gone
	Path      *string   `json:"path"`       // nil when the source has none
	Offset    int64     `json:"offset"`
	Event     *int32    `json:"event"` // index of the event that was refused; nil when the line is dead as a whole
	Lines     int32     `json:"lines"` // lines that are dead for it
	Reason    string    `json:"reason"`
	SQLState  *string   `json:"sqlstate"`
	Length    int64     `json:"length"`
	Truncated bool      `json:"truncated"`
	Raw       []byte    `json:"raw,omitempty"` // left out in lists
}

// letterStatements work on log_dead_letters.
type letterStatements struct {
	list, get, purge                          string
	replayable, remove, siblings, heir, moved string
}

const (
	// Its parameters are those of LetterSelection.args.
	letterSelected = `($1::bigint[] IS NULL OR d.letter_id = ANY($1::bigint[]))
	AND ($2::timestamptz IS NULL OR d.received_at >= $2::timestamptz)
	AND ($3::timestamptz IS NULL OR d.received_at < $3::timestamptz)
	AND starts_with(d.reason, $4::text)
	AND ($5::text = '' OR d.source_id::text LIKE $5::text OR p.source_key LIKE $5::text
		OR p.meta ->> 'path' LIKE $5::text OR p.meta ->> 'found' LIKE $5::text)`

	letterColumns = `d.letter_id, d.received_at, d.source_id, p.source_key, coalesce(nullif(p.meta ->> 'found', ''), p.meta ->> 'path'),
	d.source_offset, d.event, d.lines, d.reason, d.sqlstate, d.length, d.truncated`

	lettersAndSources = ` FROM schema.log_dead_letters d LEFT JOIN schema.log_positions p USING (source_id) WHERE `

	listLettersSQL = `SELECT ` + letterColumns + `, NULL::bytea` + lettersAndSources + letterSelected + `
ORDER BY d.letter_id DESC LIMIT $6::bigint`

	getLetterSQL = `SELECT ` + letterColumns + `, d.raw` + lettersAndSources + `d.letter_id = $1::bigint`

	// A line stays dead although its letter is thrown away. If others of its letters stay, one of them takes its lines over,
	// for when it is replayed.
	purgeLettersSQL = `
WITH gone AS (
	DELETE FROM schema.log_dead_letters WHERE letter_id = ANY (ARRAY(
		SELECT d.letter_id` + lettersAndSources + letterSelected + ` ORDER BY d.letter_id LIMIT $6::bigint))
	RETURNING letter_id, source_id, source_offset, event, lines),
heirs AS (
	SELECT DISTINCT ON (d.source_id, d.source_offset) d.letter_id, g.lines
	FROM gone g JOIN schema.log_dead_letters d USING (source_id, source_offset)
	WHERE g.event IS NOT NULL AND g.lines > 0 AND d.event IS NOT NULL AND d.letter_id NOT IN (SELECT letter_id FROM gone)
	ORDER BY d.source_id, d.source_offset, d.letter_id),
inherited AS (
	UPDATE schema.log_dead_letters d SET lines = h.lines FROM heirs h WHERE d.letter_id = h.letter_id)
SELECT count(*) FROM gone`
)

func newLetterStatements(in func(string) string) letterStatements {
	return letterStatements{
		list: in(listLettersSQL), get: in(getLetterSQL), purge: in(purgeLettersSQL),
		replayable: in(replayableSQL), remove: in(removeLettersSQL), siblings: in(siblingLinesSQL), heir: in(heirSQL),
		moved: in(movedLinesSQL),
	}
}

// args returns the parameters of letterSelected, and more behind them.
func (l *LetterSelection) args(more ...any) []any {
	moment := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t
	}
	var ids any
	if l.IDs != nil {
		ids = l.IDs
	}
	return append([]any{ids, moment(l.Since), moment(l.Before), l.Reason, likeOf(l.Source)}, more...)
}

// likeOf turns a pattern with * into one of LIKE.
func likeOf(pattern string) string {
	var like []byte
	for _, c := range []byte(pattern) {
		switch c {
		case '*':
			c = '%'
		case '%', '_', '\\':
			like = append(like, '\\')
		}
		like = append(like, c)
	}
	return string(like)
}

// Letters returns the selected dead letters without their bytes, the latest first, at most so many.
func (s *Sink) Letters(ctx context.Context, selection LetterSelection, most int) ([]Letter, error) {
	return s.readLetters(ctx, s.sql.letters.list, selection.args(most)...)
}

// Letter returns one dead letter, or nil when there is none of that id.
func (s *Sink) Letter(ctx context.Context, id int64) (*Letter, error) {
	found, err := s.readLetters(ctx, s.sql.letters.get, id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func (s *Sink) readLetters(ctx context.Context, sql string, args ...any) (found []Letter, err error) {
	defer s.maintenance.close()
	err = s.once(ctx, func(ctx context.Context) error {
		return s.maintenance.transact(ctx, func(b *pgx.Batch) {
			b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
				found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Letter])
				return err
			})
		})
	})
	return found, err
}

// purgedAtOnce bounds a transaction, and so how long it holds the position rows whose letters it deletes.
const purgedAtOnce = 10_000

// Purge deletes the selected dead letters and returns how many those were. Their lines stay counted as dead.
func (s *Sink) Purge(ctx context.Context, selection LetterSelection) (deleted int64, err error) {
	defer s.maintenance.close()
	for {
		var n int64
		if err := s.maintain(ctx, s.maintenance, s.sql.letters.purge, selection.args(purgedAtOnce), &n); err != nil {
			return deleted, err
		}
		deleted += n
		if n < purgedAtOnce {
			return deleted, nil
		}
	}
}
