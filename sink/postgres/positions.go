package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

// The compare-and-set. It locks the rows in order and passes over locked ones, so writers neither wait for each other
// nor deadlock; sorted arguments alone would not do. The epoch and position compared are those of the locked row, which
// is the newest version, and not those of the statement's snapshot. It returns the streams that moved.
const advanceSQL = `
WITH l AS MATERIALIZED (
	SELECT source_id, epoch, position FROM schema.log_positions
	WHERE source_id = ANY($1::integer[]) ORDER BY source_id FOR UPDATE SKIP LOCKED)
UPDATE schema.log_positions p SET
	position = u.new, lines = p.lines + u.lines, kept = p.kept + u.kept, filtered = p.filtered + u.filtered,
	dead = p.dead + u.dead, events = p.events + u.events, analysed = p.analysed + u.analysed,
	bytes = p.bytes + u.bytes, lost_messages = p.lost_messages + u.lost, updated_at = clock_timestamp(),
	meta = p.meta || u.meta::jsonb || CASE u.services WHEN '{}' THEN '{}' ELSE jsonb_build_object('services', (
		SELECT jsonb_object_agg(s.key, s.latest)
		FROM (SELECT e.key, max(e.value::bigint) AS latest
			FROM (SELECT * FROM jsonb_each(coalesce(p.meta -> 'services', '{}'))
				UNION ALL SELECT * FROM jsonb_each(u.services::jsonb)) e
			GROUP BY e.key ORDER BY latest DESC, e.key LIMIT 200) s)) END
FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
		$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], $14::text[])
	AS u(source_id, epoch, old, new, lines, kept, filtered, dead, events, analysed, bytes, lost, meta, services)
JOIN l ON l.source_id = u.source_id
WHERE p.source_id = l.source_id AND l.epoch = u.epoch AND l.position = u.old
RETURNING p.source_id`

// What the dead letters of sources take; of a file, those of all the files that its log is rotated through: of that
// host and directory, with the same name as far as its first digit or point (app.log, app.log.1, app-2026-01-15.log.gz).
const deadBytesSQL = `
WITH families AS MATERIALIZED (
	SELECT source_id, dead_bytes,
		CASE WHEN source_key LIKE 'file:%' THEN
			regexp_replace(source_key, '[^/]*$', '') || coalesce(regexp_replace(meta ->> 'path', '[0-9.][^/]*$', ''), '')
		ELSE source_key END AS family
	FROM schema.log_positions WHERE dead_bytes > 0 OR source_id = ANY($1::integer[]))
SELECT s.source_id, sum(f.dead_bytes)::bigint FROM families s JOIN families f USING (family)
WHERE s.source_id = ANY($1::integer[]) GROUP BY 1`

const rereadSQL = `SELECT source_id, epoch, position FROM schema.log_positions WHERE source_id = ANY($1::integer[])`

// advanceArgs are the parameters of advanceSQL: a column each, an element for every lane.
func advanceArgs(lanes []*lane) []any {
	sources, metas, services := make([]int32, len(lanes)), make([]string, len(lanes)), make([]string, len(lanes))
	var numbers [11][]int64
	for i, l := range lanes {
		sum := l.ledger()
		sources[i], metas[i], services[i] = l.stream.ID, l.meta(), l.services()
		for column, v := range [...]int64{
			l.stream.Epoch, l.from(), l.to(),
			sum.Lines, sum.Kept, sum.Filtered, sum.Dead, sum.Events, sum.Analysed, sum.Bytes, sum.Lost,
		} {
			numbers[column] = append(numbers[column], v)
		}
	}
	args := []any{sources}
	for _, n := range numbers {
		args = append(args, n)
	}
	return append(args, metas, services)
}

func sourceIDs(lanes []*lane) []int32 {
	ids := make([]int32, len(lanes))
	for i, l := range lanes {
		ids[i] = l.stream.ID
	}
	return ids
}

// A mark is where a position row stands.
type mark struct{ epoch, position int64 }

// readMarks reads the rows of lanes in the open transaction, as they are now.
func readMarks(ctx context.Context, conn *pgx.Conn, sql string, lanes []*lane) (map[int32]mark, error) {
	rows, err := conn.Query(ctx, sql, sourceIDs(lanes))
	if err != nil {
		return nil, err
	}
	marks := map[int32]mark{}
	var id int32
	var m mark
	_, err = pgx.ForEachRow(rows, []any{&id, &m.epoch, &m.position}, func() error {
		marks[id] = m
		return nil
	})
	return marks, err
}

// A verdict says why a lane did not go through.
type verdict uint8

const (
	locked verdict = iota // another session holds the row: the lane waits
	stored                // an earlier commit, whose answer was lost, did go through
	moved                 // somebody else advanced the position or raised the epoch
	gone                  // there is no row
)

// judge tells from the row as it stands why the compare-and-set passed the lane over.
func (l *lane) judge(m mark, exists bool) verdict {
	switch {
	case !exists:
		return gone
	case m.epoch != l.stream.Epoch:
		return moved
	case m.position == l.from():
		return locked
	case m.position == l.asked && l.asked > l.from():
		return stored
	}
	return moved
}

// fenceError is what a verdict means to the stream.
func (v verdict) fenceError() error {
	if v == gone {
		return pipeline.ErrGone
	}
	return pipeline.ErrMoved
}
