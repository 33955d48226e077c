package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

// Options say where and how to store. URL, NewAggregate, Calendar, Stats and Log must be set.
type Options struct {
	URL            string // connection string of the writer's role
	MaintenanceURL string // of the tables' owner; "" when the writer's role does the maintenance
	Schema         string // of the tables; "logs" when empty
	Application    string // application_name: tells our sessions from others of the role; "logflume" when empty

	Instance string        // names this process in log_instances
	Host     string        // as in source keys
	Version  string        // of this program
	Sources  func() []byte // JSON for log_instances: what the sources are doing; nil when nothing is to be told

	FlushRows     int           // events after which a flush is handed over; 5000 when 0
	FlushBytes    int           // bytes, raw and encoded, after which it is; 8 MiB when 0. At most an eighth of the budget of batches in flight
	FlushInterval time.Duration // age after which it is; 1 s when 0
	DeadBytes     int64         // of log_positions.dead_bytes at which a source, a file with its rotated ones, is paused; 0 for no limit
	Retention     time.Duration // age at which partitions are dropped, a day at least; 0 keeps everything

	// RetentionWindows is the age at which hour and day rows of log_analytics are deleted, Retention at least, which is
	// also meant by 0. Without Retention nothing is.
	RetentionWindows time.Duration

	// Merge finds aliases among all patterns there are, other than those that are to stay apart; nil looks for none.
	Merge func(patterns, apart []pipeline.Pattern) []pipeline.Alias

	NewAggregate func() pipeline.Aggregate // called once for every goroutine that needs one
	Calendar     *pipeline.Calendar        // is told which partitions exist
	Stats        *pipeline.Stats
	Log          *slog.Logger
}

const (
	defaultFlushRows     = 5000
	defaultFlushBytes    = 8 << 20
	defaultFlushInterval = time.Second
)

// complete returns o with its defaults.
func (o Options) complete() (Options, error) {
	if o.NewAggregate == nil || o.Calendar == nil || o.Stats == nil || o.Log == nil {
		return o, errors.New("postgres sink: NewAggregate, Calendar, Stats and Log must be set")
	}
	if o.Retention != 0 && o.Retention < 24*time.Hour {
		return o, fmt.Errorf("postgres sink: retention %v is less than a day", o.Retention)
	}
	o.RetentionWindows = max(o.RetentionWindows, o.Retention)
	o.Schema = cmp.Or(o.Schema, "logs")
	o.Application = cmp.Or(o.Application, "logflume")
	o.FlushRows = cmp.Or(o.FlushRows, defaultFlushRows)
	o.FlushBytes = cmp.Or(o.FlushBytes, defaultFlushBytes)
	o.FlushInterval = cmp.Or(o.FlushInterval, defaultFlushInterval)
	return o, nil
}

// connConfig parses a connection string. The session gets our name and keeps no named statements, so that it may be
// any session of a pooler.
func connConfig(url, application string) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse database URL: %w", err)
	}
	c.RuntimeParams["application_name"] = application
	c.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.StatementCacheCapacity = 0
	c.DescriptionCacheCapacity = 0
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, connectTimeout)
	return c, nil
}
