package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

var (
	shareColumns = []string{
		"timestamp", "window_seconds", "service", "error_patterns", "performance_issues", "summary",
	}
	deadColumns = []string{
		"received_at", "source_id", "source_offset", "length", "reason", "sqlstate", "raw", "truncated", "event", "lines",
	}
)

// A catalog holds the statements, which all name the schema.
type catalog struct {
	copyEvents, copyShares, copyDead string

	advance  string // see advanceSQL
	reread   string // positions as they are
	dead     string // see deadBytesSQL
	thaw     string // see thawSQL
	patterns string // see patternsSQL

	partitions, ensurePartitions string

	createPositions, readPositions, listPositions, amendPosition, hasPosition string

	heartbeat, compact, dropExpired string

	letters                                           letterStatements
	leads, aliasState, mergeable, apart, storeAliases string // of aliases.go

	events string // name of log_events
}

func newCatalog(schema string) catalog {
	quoted := pgx.Identifier{schema}.Sanitize()
	in := func(sql string) string { return strings.ReplaceAll(sql, "schema.", quoted+".") }
	copyInto := func(table string, columns []string) string {
		return in("COPY schema." + table + " (" + strings.Join(columns, ", ") + ") FROM STDIN (FORMAT binary)")
	}
	return catalog{
		copyEvents: copyInto("log_events", eventColumns),
		copyShares: copyInto("log_analytics", shareColumns),
		copyDead:   copyInto("log_dead_letters", deadColumns),

		advance:  in(advanceSQL),
		reread:   in(rereadSQL),
		dead:     in(deadBytesSQL),
		thaw:     in(thawSQL),
		patterns: in(patternsSQL),

		partitions:       in(partitionsSQL),
		ensurePartitions: in(ensurePartitionsSQL),

		createPositions: in(createPositionsSQL),
		readPositions:   in(readPositionsSQL),
		listPositions:   in(listPositionsSQL),
		amendPosition:   in(amendPositionSQL),
		hasPosition:     in(hasPositionSQL),

		heartbeat:   in(heartbeatSQL),
		compact:     in(compactSQL),
		dropExpired: in(dropExpiredSQL),

		letters:      newLetterStatements(in),
		leads:        in(leadsSQL),
		aliasState:   in(aliasStateSQL),
		mergeable:    in(mergeableSQL),
		apart:        in(apartSQL),
		storeAliases: in(storeAliasesSQL),

		events: in("schema.log_events"),
	}
}
