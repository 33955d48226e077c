package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

const (
	// Of the instances that are alive the one whose name sorts first looks for aliases. Should two think so for a moment,
	// they find the same.
	leadsSQL = `
SELECT coalesce(min(instance) >= $1::text, true) FROM schema.log_instances
WHERE seen_at > clock_timestamp() - $2::bigint * interval '1 microsecond'`

	// What aliases are found from, and what they are, in short.
	aliasStateSQL = `
SELECT (SELECT count(*) FROM schema.log_patterns),
	(SELECT count(*) || ' ' || coalesce(sum(hashint8extended(from_id, to_id) >> 24), 0) FROM schema.log_pattern_aliases)`

	// Of too many patterns those with the least ids, so that which they are is a matter of the patterns alone.
	mergeableSQL = `
SELECT pattern_id, pattern FROM schema.log_patterns WHERE octet_length(pattern) <= 1024 ORDER BY pattern_id LIMIT 100000`

	apartSQL = `SELECT from_id, pattern FROM schema.log_pattern_aliases WHERE from_id = to_id`

	storeAliasesSQL = `SELECT schema.store_aliases($1::bigint[], $2::bigint[], $3::text[], $4::integer[])`
)

// maxMergeBytes bounds the texts that are compared with each other.
const maxMergeBytes = 32 << 20

// An aliasState tells whether there can be aliases to find or to take away.
type aliasState struct {
	patterns int64
	aliases  string
}

func (a *aliasState) scan(row pgx.Row) error { return row.Scan(&a.patterns, &a.aliases) }

// mergeOnNews merges patterns if something has changed since it last did and no other instance is to do it.
func (s *Sink) mergeOnNews(ctx context.Context) (more bool, err error) {
	return false, s.once(ctx, func(ctx context.Context) error {
		var leads bool
		var now aliasState
		err := s.maintenance.transact(ctx, func(b *pgx.Batch) {
			alive := 3 * s.pace.heartbeat
			b.Queue(s.sql.leads, s.options.Instance, alive.Microseconds()).QueryRow(func(row pgx.Row) error { return row.Scan(&leads) })
			b.Queue(s.sql.aliasState).QueryRow(now.scan)
		})
		if err != nil || !leads || now == s.merged {
			return err
		}
		return s.merge(ctx, now.patterns)
	})
}

// MergePatterns looks for patterns that are cases of others, and stores what stands for them. Maintain does this by
// itself; the two must not run at once.
func (s *Sink) MergePatterns(ctx context.Context) error {
	defer s.maintenance.close()
	return s.once(ctx, func(ctx context.Context) error { return s.merge(ctx, 0) })
}

// merge reads the patterns, at least so many, and makes what Options.Merge finds the aliases.
func (s *Sink) merge(ctx context.Context, count int64) error {
	var patterns, apart []pipeline.Pattern
	err := s.maintenance.transact(ctx, func(b *pgx.Batch) {
		b.Queue(s.sql.mergeable).Query(func(rows pgx.Rows) (err error) {
			patterns, err = collectPatterns(rows, maxMergeBytes)
			return err
		})
		b.Queue(s.sql.apart).Query(func(rows pgx.Rows) (err error) {
			apart, err = collectPatterns(rows, maxMergeBytes)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("read patterns: %w", err)
	}
	started := s.pace.now()
	found := s.options.Merge(patterns, apart)
	took := s.pace.now().Sub(started)
	changed, err := s.storeAliases(ctx, count, found)
	if err != nil {
		return fmt.Errorf("store aliases: %w", err)
	}
	if changed > 0 {
		s.options.Log.Info("patterns merged", "patterns", len(patterns), "aliases", len(found), "changed", changed,
			"took", took.Round(time.Millisecond))
	}
	return nil
}

// collectPatterns reads rows until their texts are more than so many bytes.
func collectPatterns(rows pgx.Rows, bytes int) (all []pipeline.Pattern, err error) {
	var p pipeline.Pattern
	_, err = pgx.ForEachRow(rows, []any{&p.ID, &p.Text}, func() error {
		if bytes -= len(p.Text); bytes >= 0 {
			all = append(all, p)
		}
		return nil
	})
	return all, err
}

// storeAliases makes found the aliases, and remembers that so many patterns have been merged.
func (s *Sink) storeAliases(ctx context.Context, count int64, found []pipeline.Alias) (changed int, err error) {
	n := len(found)
	from, to, texts, evidence := make([]int64, n), make([]int64, n), make([]string, n), make([]int32, n)
	for i, a := range found {
		from[i], to[i], texts[i], evidence[i] = a.From, a.To.ID, storable(a.To.Text), int32(a.Evidence)
	}
	var now aliasState
	err = s.maintenance.transact(ctx, func(b *pgx.Batch) {
		b.Queue(s.sql.storeAliases, from, to, texts, evidence).QueryRow(func(row pgx.Row) error { return row.Scan(&changed) })
		b.Queue(s.sql.aliasState).QueryRow(now.scan)
	})
	if err == nil {
		s.merged = aliasState{patterns: count, aliases: now.aliases}
	}
	return changed, err
}
