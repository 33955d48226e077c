package postgres

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"logflume/pipeline"
)

const (
	rememberedPatterns = 100_000 // ids that are known to be stored; 8 bytes each, and as much again for the list
	maxSampleBytes     = 1 << 10
	maxPatternBytes    = 8 << 10
)

// Patterns are stored before the rows that name them and in a transaction of their own, so that no flush waits while
// another writer's flush holds the same new pattern. Sorted by id, two writers cannot wait for each other.
const patternsSQL = `
INSERT INTO schema.log_patterns (pattern_id, pattern, sample)
SELECT id, pattern, sample FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n(id, pattern, sample)
WHERE NOT EXISTS (SELECT FROM schema.log_patterns p WHERE p.pattern_id = n.id)
ORDER BY id
ON CONFLICT DO NOTHING`

// A pattern may not be in log_patterns yet. Its strings lie in a batch.
type pattern struct {
	id     int64
	text   string
	sample string
}

// A patternCache remembers which patterns are stored. Safe for concurrent use.
type patternCache struct{ stored *lru.Cache[int64, struct{}] }

func newPatternCache() *patternCache {
	stored, _ := lru.New[int64, struct{}](rememberedPatterns) // it fails for sizes below 1
	return &patternCache{stored: stored}
}

// unknown returns the patterns of the batches' events that are not known to be stored, each once.
func (c *patternCache) unknown(batches []*pipeline.Batch) []pattern {
	var found []pattern
	var seen map[int64]struct{}
	for _, b := range batches {
		for i := range b.Events {
			e := &b.Events[i]
			if e.PatternID == 0 || e.Pattern == "" || e.Fate == pipeline.Drop || c.stored.Contains(e.PatternID) {
				continue
			}
			if _, again := seen[e.PatternID]; again {
				continue
			}
			if seen == nil {
				seen = map[int64]struct{}{}
			}
			seen[e.PatternID] = struct{}{}
			found = append(found, pattern{id: e.PatternID, text: e.Pattern, sample: e.Message})
		}
	}
	return found
}

// store inserts the patterns of the lanes' parts that are still unknown.
func (c *patternCache) store(ctx context.Context, conn *client, sql string, lanes []*lane) (inserted int64, err error) {
	found := c.collect(lanes)
	if len(found) == 0 {
		return 0, nil
	}
	ids, texts, samples := make([]int64, len(found)), make([]string, len(found)), make([]string, len(found))
	for i, p := range found {
		ids[i], texts[i], samples[i] = p.id, storable(cut(p.text, maxPatternBytes)), storable(cut(p.sample, maxSampleBytes))
	}
	err = conn.transact(ctx, func(b *pgx.Batch) {
		b.Queue(sql, ids, texts, samples).Exec(func(tag pgconn.CommandTag) error {
			inserted = tag.RowsAffected()
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		c.stored.Add(id, struct{}{})
	}
	return inserted, nil
}

// collect returns the unknown patterns of all lanes, sorted by id, each once.
func (c *patternCache) collect(lanes []*lane) []pattern {
	var found []pattern
	for _, l := range lanes {
		for _, p := range l.parts {
			for _, n := range p.patterns {
				if !c.stored.Contains(n.id) {
					found = append(found, n)
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b pattern) int { return cmp.Compare(a.id, b.id) })
	return slices.CompactFunc(found, func(a, b pattern) bool { return a.id == b.id })
}

// cut returns the head of s that has at most n bytes and ends with a whole character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// storable returns s as a text column takes it: valid UTF-8 without NUL.
func storable(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
