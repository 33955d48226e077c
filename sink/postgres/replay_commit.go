package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

// process runs the lines of units through the stages. It returns the rows to be stored, and notes in each unit what
// became of it.
func (r *replay) process(units []*unit) (*part, Replayed) {
	first := &units[0].letters[0]
	stream := pipeline.NewStream(pipeline.Checkpoint{ID: first.SourceID, Key: *first.SourceKey, Epoch: *first.Epoch})
	p := &part{stream: stream}
	var outcome Replayed
	for len(units) > 0 { // lines without a time have that of their arrival, which batches have as a whole
		n := 1
		for n < len(units) && units[n].letters[0].Received.Equal(units[0].letters[0].Received) {
			n++
		}
		b := batchOf(stream, units[:n])
		r.stages.Parse.Process(b)
		leaveOut(b, units[:n])
		for _, stage := range r.stages.Rest {
			stage.Process(b)
		}
		outcome.add(judge(b, units[:n]))
		b.Dead = b.Dead[:0] // their letters are there
		p.add(b)
		units = units[n:]
	}
	p.seal(r.committer.aggregate, r.sink.patterns)
	if first.Event != nil { // windows have counted them, when their rows were refused
		p.shares = tuples{}
	}
	return p, outcome
}

// batchOf makes a batch of the units' lines. Those that were joined are again.
func batchOf(stream *pipeline.Stream, units []*unit) *pipeline.Batch {
	b := &pipeline.Batch{Stream: stream, Path: units[0].letters[0].Path, Received: units[0].letters[0].Received.UnixMicro()}
	for _, u := range units {
		offset := u.letters[0].Offset
		u.at = int32(len(b.Lines))
		for line := range bytes.Lines(u.letters[0].Raw) {
			start := len(b.Arena)
			b.Arena = append(b.Arena, line...)
			end := len(bytes.TrimRight(b.Arena, "\r\n"))
			if end = max(end, start); end == start && len(b.Lines) > int(u.at) {
				continue // a blank line within a join
			}
			b.Lines = append(b.Lines, pipeline.Line{Offset: offset + int64(start), Start: start, End: end, Length: int64(end - start)})
			if i := len(b.Lines) - 1; i > int(u.at) {
				b.Join(i-1, i)
			}
		}
		if int(u.at) == len(b.Lines) {
			b.Lines = append(b.Lines, pipeline.Line{Start: len(b.Arena), End: len(b.Arena)})
		}
		b.Lines[u.at].Offset = offset
		b.Arena = append(b.Arena, '\n')
	}
	return b
}

// each calls do for every event of b and the unit of its line.
func each(b *pipeline.Batch, units []*unit, do func(*pipeline.Event, *unit)) {
	at := 0
	for i := range b.Events {
		e := &b.Events[i]
		for at+1 < len(units) && units[at+1].at <= e.Line {
			at++
		}
		do(e, units[at])
	}
}

// leaveOut drops the events that have rows already, or dead letters that were not chosen.
func leaveOut(b *pipeline.Batch, units []*unit) {
	each(b, units, func(e *pipeline.Event, u *unit) {
		if u.wants(e.Index) == nil {
			e.Fate = pipeline.Drop
		}
	})
}

// judge notes what became of the units of b.
func judge(b *pipeline.Batch, units []*unit) (outcome Replayed) {
	dead := map[int32]bool{}
	for i := range b.Dead {
		dead[b.Dead[i].Line] = true
	}
	for _, u := range units {
		u.dead, u.resolved, u.kept, u.analysed, u.seen = dead[u.at], nil, 0, 0, map[int64]bool{}
	}
	each(b, units, func(e *pipeline.Event, u *unit) {
		l := u.wants(e.Index)
		if l == nil {
			return
		}
		u.seen[l.ID] = u.seen[l.ID] || e.Fate == pipeline.Keep
		if e.Fate == pipeline.Keep {
			u.kept++
		}
		if e.Fate != pipeline.Drop && u.whole() {
			u.analysed++
		}
	})
	for _, u := range units {
		outcome.add(u.judge())
	}
	return outcome
}

// judge tells the letters that are resolved from those that are not.
func (u *unit) judge() (outcome Replayed) {
	for i := range u.letters {
		id := u.letters[i].ID
		switch stored, seen := u.seen[id]; {
		case u.dead || !u.whole() && !seen:
			outcome.Dead++
			continue
		case stored:
			outcome.Stored++
		default:
			outcome.Filtered++
		}
		u.resolved = append(u.resolved, id)
	}
	outcome.Events = u.kept
	return outcome
}

var errTaken = errors.New("letters are being replayed by somebody else")

// commit deletes the letters ids and stores what came of them, in one transaction.
func (r *replay) commit(ctx context.Context, l *lane, units []*unit, ids []int64) error {
	conn, sql := r.sink.writer, &r.sink.sql.letters
	lines := map[int64]int64{}
	err := conn.send(ctx, func(b *pgx.Batch) {
		b.Queue(sql.remove, ids).Query(func(rows pgx.Rows) error {
			var id, n int64
			_, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error {
				lines[id] = n
				return nil
			})
			return err
		})
	})
	switch {
	case err != nil:
		return fmt.Errorf("delete dead letters: %w", err)
	case len(lines) < len(ids):
		return errTaken
	}
	var kept, filtered, events, analysed int64
	for _, u := range units {
		events += u.kept
		analysed += u.analysed
		carried, err := r.carried(ctx, u, lines)
		if err != nil {
			return err
		}
		if u.kept > 0 {
			kept += carried
		} else {
			filtered += carried
		}
	}
	tag, err := conn.conn.Exec(ctx, sql.moved, l.stream.ID, kept, filtered, events, analysed)
	switch {
	case err != nil:
		return fmt.Errorf("move lines in the ledger: %w", err)
	case tag.RowsAffected() != 1:
		return fmt.Errorf("the position row of source %d is gone, its dead letters cannot be replayed", l.stream.ID)
	}
	t := &transaction{committer: r.committer, passed: []*lane{l}}
	if err := t.store(ctx); err != nil {
		return err
	}
	return t.commit(ctx)
}

// carried returns how many lines are no longer dead once the resolved letters of u are gone. If other letters of the line
// stay, its lines become theirs, or are taken from them.
func (r *replay) carried(ctx context.Context, u *unit, lines map[int64]int64) (n int64, err error) {
	for _, id := range u.resolved {
		n += lines[id]
	}
	if u.whole() || len(u.resolved) == 0 {
		return n, nil
	}
	conn, sql, first := r.sink.writer.conn, &r.sink.sql.letters, &u.letters[0]
	if u.kept > 0 {
		var others int64
		err := conn.QueryRow(ctx, sql.siblings, first.SourceID, first.Offset).Scan(&others)
		return n + others, err
	}
	if n == 0 {
		return 0, nil
	}
	tag, err := conn.Exec(ctx, sql.heir, first.SourceID, first.Offset, n)
	if tag.RowsAffected() > 0 {
		n = 0
	}
	return n, err
}
