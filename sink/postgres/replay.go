package postgres

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

// Stages make rows of lines.
type Stages struct {
	Parse pipeline.Processor
	Rest  []pipeline.Processor // filter, enrichment, analysis, encoding
}

// A Replayed says what became of dead letters.
type Replayed struct {
	Stored     int64 // letters of which there is a row now, or several
	Events     int64 // those rows
	Filtered   int64 // letters whose events a rule wants no row of
	Dead       int64 // letters that are refused as before
	Unreadable int64 // letters that do not hold the whole line, or belong to no line or a source that is gone
}

func (r *Replayed) add(o Replayed) {
	r.Stored += o.Stored
	r.Events += o.Events
	r.Filtered += o.Filtered
	r.Dead += o.Dead
	r.Unreadable += o.Unreadable
}

const (
	replayedAtOnce = 200 // letters read at once, each of which is at most pipeline.MaxDeadLetter long
	replayTries    = 5   // for one transaction

	// A letter brings with it the others of its line, which are decided upon together.
	replayableSQL = `
WITH chosen AS (
	SELECT DISTINCT d.source_id, d.source_offset` + lettersAndSources + letterSelected + `)
SELECT d.letter_id, d.source_id, p.source_key, p.epoch, coalesce(nullif(p.meta ->> 'found', ''), p.meta ->> 'path', ''),
	d.source_offset, d.event, d.lines, d.received_at, d.truncated, d.raw
FROM chosen JOIN schema.log_dead_letters d USING (source_id, source_offset) LEFT JOIN schema.log_positions p USING (source_id)
WHERE (d.source_id, d.source_offset, d.letter_id) > ($6::integer, $7::bigint, $8::bigint)
ORDER BY d.source_id, d.source_offset, d.letter_id LIMIT $9::bigint`

	// The deletion is the compare-and-set of a replay: who gets a letter's row stores its events.
	removeLettersSQL = `DELETE FROM schema.log_dead_letters WHERE letter_id = ANY($1::bigint[]) RETURNING letter_id, lines`

	// Other letters of a line that has a row now stand for no line any more.
	siblingLinesSQL = `
WITH others AS (
	SELECT letter_id, lines FROM schema.log_dead_letters
	WHERE source_id = $1::integer AND source_offset = $2::bigint AND event IS NOT NULL AND lines > 0),
cleared AS (
	UPDATE schema.log_dead_letters d SET lines = 0 FROM others o WHERE d.letter_id = o.letter_id)
SELECT coalesce(sum(lines), 0) FROM others`

	heirSQL = `
UPDATE schema.log_dead_letters SET lines = $3::integer
WHERE letter_id = (SELECT min(letter_id) FROM schema.log_dead_letters
	WHERE source_id = $1::integer AND source_offset = $2::bigint AND event IS NOT NULL)`

	movedLinesSQL = `
UPDATE schema.log_positions SET kept = kept + $2::bigint, filtered = filtered + $3::bigint, dead = dead - $2::bigint - $3::bigint,
	events = events + $4::bigint, analysed = analysed + $5::bigint, updated_at = clock_timestamp()
WHERE source_id = $1::integer`
)

// A replayable is a letter to be replayed.
type replayable struct {
	ID        int64
	SourceID  int32
	SourceKey *string
	Epoch     *int64
	Path      string
	Offset    int64
	Event     *int32
	Lines     int32
	Received  time.Time
	Truncated bool
	Raw       []byte
}

// readable reports whether the line, or the event of it, can be parsed again.
func (r *replayable) readable() bool {
	return r.SourceKey != nil && !r.Truncated && (r.Event != nil || r.Lines > 0)
}

// A unit is the letters of one line: one that stands for the line as a whole, or some for events of it.
type unit struct {
	letters []replayable

	at       int32          // index of its line in its batch
	dead     bool           // it is refused as before
	resolved []int64        // letters that stand for nothing dead any more
	kept     int64          // events
	analysed int64          // events that were not counted in windows before
	seen     map[int64]bool // letters whose events there are; true if there is a row of one
}

func (u *unit) whole() bool { return u.letters[0].Event == nil }

// wants returns the letter that stands for the event of that index.
func (u *unit) wants(index int32) *replayable {
	for i := range u.letters {
		if l := &u.letters[i]; l.Event == nil || *l.Event == index {
			return l
		}
	}
	return nil
}

// Replay parses the selected dead letters again, with others of the same lines, and stores what passes now, each in the
// transaction that deletes its letter and moves its lines in the ledger. So it may be stopped, repeated, or run twice at
// once. It has no other user than a command: Run must not be running on this Sink.
func (s *Sink) Replay(ctx context.Context, selection LetterSelection, stages Stages) (sum Replayed, err error) {
	defer s.writer.close()
	r := &replay{sink: s, stages: stages, committer: s.newCommitter()}
	err = r.run(ctx, selection)
	return r.sum, err
}

// A replay is the running part of [Sink.Replay].
type replay struct {
	sink      *Sink
	stages    Stages
	committer *committer
	sum       Replayed
}

func (r *replay) run(ctx context.Context, selection LetterSelection) error {
	source, offset, id := int32(math.MinInt32), int64(0), int64(0)
	for {
		var letters []replayable
		args := selection.args(source, offset, id, replayedAtOnce)
		err := r.patiently(ctx, func(ctx context.Context) error {
			return r.sink.writer.transact(ctx, func(b *pgx.Batch) {
				b.Queue(r.sink.sql.letters.replayable, args...).Query(func(rows pgx.Rows) (err error) {
					letters, err = pgx.CollectRows(rows, pgx.RowToStructByPos[replayable])
					return err
				})
			})
		})
		if err != nil || len(letters) == 0 {
			return err
		}
		last := &letters[len(letters)-1]
		source, offset, id = last.SourceID, last.Offset, last.ID
		for _, of := range bySource(letters) {
			if err := r.source(ctx, of); err != nil {
				return err
			}
		}
	}
}

// bySource divides letters, which are in order, by source and by whether they stand for events. A line whose letters
// reach over the end of what was read is two units.
func bySource(letters []replayable) (parts [][]*unit) {
	var last *replayable
	for i := range letters {
		l := &letters[i]
		switch {
		case last == nil || last.SourceID != l.SourceID || (last.Event == nil) != (l.Event == nil):
			parts = append(parts, []*unit{{letters: []replayable{*l}}})
		case last.Offset == l.Offset && l.Event != nil:
			units := parts[len(parts)-1]
			u := units[len(units)-1]
			u.letters = append(u.letters, *l)
		default:
			parts[len(parts)-1] = append(parts[len(parts)-1], &unit{letters: []replayable{*l}})
		}
		last = l
	}
	return parts
}

// source replays units of one source, all of lines or all of events.
func (r *replay) source(ctx context.Context, units []*unit) error {
	all := len(units)
	units = slices.DeleteFunc(units, func(u *unit) bool {
		unreadable := slices.ContainsFunc(u.letters, func(l replayable) bool { return !l.readable() })
		if unreadable {
			r.sum.Unreadable += int64(len(u.letters))
		}
		return unreadable
	})
	if len(units) == 0 || all == 0 {
		return nil
	}
	var failed *copyError
	err := r.patiently(ctx, func(ctx context.Context) error { return r.transact(ctx, units) })
	class, taken := Classify(err), errors.Is(err, errTaken)
	if refused := errors.As(err, &failed) && (class == BadRow || class == MissingPartition); !refused && !taken {
		return err
	}
	switch first := units[0]; { // find the letters that are
	case len(units) > 1:
		half := len(units) / 2
		if err := r.source(ctx, units[:half:half]); err != nil {
			return err
		}
		return r.source(ctx, units[half:])
	case len(first.letters) > 1:
		for _, l := range first.letters {
			if err := r.source(ctx, []*unit{{letters: []replayable{l}}}); err != nil {
				return err
			}
		}
	case !taken:
		r.sum.Dead++
	}
	return nil
}

// patiently tries work a few times, as long as its error is one that passes.
func (r *replay) patiently(ctx context.Context, work func(context.Context) error) error {
	wait := newRetry(&r.sink.pace)
	for try := 1; ; try++ {
		err := r.sink.once(ctx, work)
		if err == nil {
			return nil
		}
		r.sink.writer.rollback(ctx)
		if class := Classify(err); class != Retry || try == replayTries {
			return err
		} else if wait.wait(ctx, class) != nil {
			return err
		}
	}
}

// transact processes units and commits what passes.
func (r *replay) transact(ctx context.Context, units []*unit) error {
	p, outcome := r.process(units)
	defer p.stream.Fence(pipeline.ErrGone) // nobody reads it
	l := &lane{stream: p.stream, parts: []*part{p}}
	conn := r.sink.writer
	if err := conn.connect(ctx); err != nil {
		return err
	}
	if err := r.sink.partitions.ensure(ctx, conn, days([]*lane{l})); err != nil {
		return err
	}
	if _, err := r.sink.patterns.store(ctx, conn, r.sink.sql.patterns, []*lane{l}); err != nil {
		return err
	}
	var ids []int64
	for _, u := range units {
		ids = append(ids, u.resolved...)
	}
	if len(ids) > 0 {
		if err := r.commit(ctx, l, units, ids); err != nil {
			return err
		}
	}
	r.sum.add(outcome)
	return nil
}
