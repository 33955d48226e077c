package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/jackc/pgx/v5/pgconn"

	"logflume/schema"
)

// A validation collects what is wrong with the values of a configuration.
type validation struct {
	file     *configFile
	problems configError
}

// require notes a problem with key unless ok. What is known to be wrong has no value to be checked.
func (v *validation) require(ok bool, key, format string, args ...any) {
	if !ok && !v.file.wrong(key) {
		v.problems = append(v.problems, v.file.problem(key, fmt.Sprintf(format, args...)))
	}
}

// validate checks what can be told from the values alone. Expressions, time zones and address ranges are checked by the
// packages that compile them.
func (f *configFile) validate() configError {
	v := &validation{file: f}
	v.database()
	v.sources()
	v.processing()
	v.limits()
	v.listener()
	return v.problems
}

func (v *validation) database() {
	d := &v.file.Database
	if err := schema.CheckName(d.Schema); err != nil {
		v.require(false, "database.schema", "%v", err)
	}
	v.databaseURL("database.url", d.URL)
	v.databaseURL("database.maintenance_url", d.MaintenanceURL)
	v.require(d.Retention == 0 || d.Retention >= duration(24*time.Hour), "database.retention",
		"%s is too short: events are deleted by whole days; use 1d or more, or remove the key to keep everything", d.Retention)
	if v.file.wrong("database.retention") {
		return
	}
	v.require(d.RetentionWindows == 0 || d.Retention > 0, "database.retention_windows",
		"has no meaning without database.retention, without which everything is kept; set that too, or remove this key")
	v.require(d.RetentionWindows == 0 || d.RetentionWindows >= d.Retention, "database.retention_windows",
		"%s is shorter than database.retention: windows are kept as long as events at least; use %s or more", d.RetentionWindows, d.Retention)
}

func (v *validation) databaseURL(key string, u secretURL) {
	if u == "" {
		return
	}
	if err := checkURL(u); err != nil {
		v.require(false, key, "%v", err)
	}
}

// checkURL says why u cannot be used to connect. It repeats nothing of u: where a password begins and ends in a malformed
// URL nobody can tell.
func checkURL(u secretURL) error {
	_, err := pgconn.ParseConfig(string(u))
	var path *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &path):
		return fmt.Errorf("names a file that cannot be read: %w", path)
	}
	return errors.New("is no usable database URL: write postgres://user@host:5432/database?sslmode=verify-full, and for " +
		"@, / and : in user and password %40, %2F and %3A")
}

func (v *validation) sources() {
	for i, s := range v.file.Sources {
		key := fmt.Sprintf("sources[%d]", i)
		switch {
		case v.file.wrong(key): // and of what is in it much depends on the rest
		case s.File == nil && s.Kafka == nil:
			v.require(false, key, "names no kind of source: write file: {paths: [...]} or kafka: {brokers: [...], topics: [...], group: ...}")
		case s.File != nil && s.Kafka != nil:
			v.require(false, key, "names two kinds of source: make each an entry of the list")
		case s.File != nil:
			v.fileSource(key+".file", s.File)
		default:
			v.kafkaSource(key+".kafka", s.Kafka)
		}
	}
}

func (v *validation) fileSource(key string, s *fileConfig) {
	v.require(len(s.Paths) > 0, key+".paths", "is empty: give at least one path or glob")
	v.globs(key+".paths", s.Paths, filepath.IsAbs)
	v.globs(key+".exclude", s.Exclude, func(p string) bool { return filepath.IsAbs(p) || !strings.Contains(p, "/") })
	v.startAt(key, s.StartAt)
}

func (v *validation) startAt(key, value string) {
	v.require(slices.Contains([]string{startAtBeginning, "end"}, value), key+".start_at", "%q is neither beginning nor end", value)
}

// globs checks patterns, which must be complete paths by the measure given.
func (v *validation) globs(key string, patterns []string, complete func(string) bool) {
	for i, p := range patterns {
		at := fmt.Sprintf("%s[%d]", key, i)
		if !doublestar.ValidatePathPattern(p) {
			v.require(false, at, `%q is no glob: close every [ and {, and put \ before one that is meant as itself`, p)
			continue
		}
		v.require(complete(p), at, "%q is not absolute: begin it with /", p)
	}
}

func (v *validation) processing() {
	c := v.file.config
	v.require(slices.Contains([]string{multilineAuto, multilineOff}, c.Files.Multiline), "files.multiline",
		"%q is neither %s nor %s", c.Files.Multiline, multilineAuto, multilineOff)
	v.require(c.Files.CopyWait >= duration(time.Second), "files.copy_wait", "%s is too short: use 1s or more", c.Files.CopyWait)
	v.require(c.Files.Grace >= duration(time.Second), "files.grace", "%s is too short: use 1s or more", c.Files.Grace)
	v.require(c.Files.DeletedWait >= c.Files.Grace || v.file.wrong("files.grace"), "files.deleted_wait", "%s is less than files.grace (%s): raise it", c.Files.DeletedWait, c.Files.Grace)

	window := time.Duration(c.Analyze.Window)
	v.require(window >= time.Second && window < time.Hour && window%time.Second == 0 && time.Hour%window == 0, "analyze.window",
		"%s does not divide an hour into windows of whole seconds: use 10s, 30s, 1m, 5m, 15m or the like", c.Analyze.Window)
	v.require(c.Analyze.SlowRequest >= duration(time.Millisecond), "analyze.slow_request",
		"%s is too short: use 1ms or more", c.Analyze.SlowRequest)
	v.require(c.Filter.Sample >= 0 && c.Filter.Sample <= 1, "filter.sample", "%v is no share: use a number from 0 to 1", c.Filter.Sample)
}

// rowBound is far above any sensible flush; a row takes some hundred bytes.
const rowBound = 1_000_000

func (v *validation) limits() {
	c := v.file.config
	v.require(c.Flush.Rows >= 1 && c.Flush.Rows <= rowBound, "flush.rows", "%d is not from 1 to %d", c.Flush.Rows, rowBound)
	interval := time.Duration(c.Flush.Interval)
	v.require(interval >= 10*time.Millisecond && interval <= time.Minute, "flush.interval",
		"%s is not from 10ms to 1m", c.Flush.Interval)
	v.require(c.Limits.Memory >= 4<<20, "limits.memory", "%s is too little: use 4MiB or more", c.Limits.Memory)
	v.require(c.Limits.Line >= 1<<10, "limits.line", "%s is too short: use 1KiB or more", c.Limits.Line)
	v.require(c.Limits.Line*4 <= c.Limits.Memory || v.file.wrong("limits.memory"), "limits.line",
		"%s is more than a quarter of limits.memory (%s), so such a line could never be read: lower it or raise limits.memory",
		c.Limits.Line, c.Limits.Memory)
	v.require(c.Limits.DeadLetters >= 64<<10, "limits.dead_letters", "%s is too little for one: use 64KiB or more", c.Limits.DeadLetters)
	v.require(c.Limits.Partitions >= 0 && c.Limits.Partitions <= 10_000, "limits.partitions",
		"%d is not from 0 to 10000", c.Limits.Partitions)
}

func (v *validation) listener() {
	listen := v.file.Telemetry.Listen
	if listen == "" {
		return
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		v.require(false, "telemetry.listen", "%q is no address: write 127.0.0.1:9464", listen)
		return
	}
	_, err = netip.ParseAddr(host)
	v.require(host == "localhost" || err == nil, "telemetry.listen",
		"%q names no address: write 127.0.0.1:9464, or for Prometheus on another machine an address of this one, as 192.0.2.1:9464 "+
			"(0.0.0.0:9464 is all of them)", listen)
}
