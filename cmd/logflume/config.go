package main

import "time"

// A config is a whole configuration. The comment of each field is its entry in docs/configuration.md, and the values of
// [defaultConfig] are the defaults given there; a test keeps that page equal to this file.
type config struct {
	// Service of the lines that name none.
	Service string `yaml:"service"`

	// Who this machine is in `source_key`, and so in every position. Empty: the machine id (`/etc/machine-id`), else the
	// host name. Set it wherever those do not outlive a restart, as in a container; in Kubernetes use the node's name.
	Host string `yaml:"host"`

	Database  databaseConfig  `yaml:"database"`
	Sources   []sourceConfig  `yaml:"sources"`
	Files     filesConfig     `yaml:"files"`
	Parse     parseConfig     `yaml:"parse"`
	Filter    filterConfig    `yaml:"filter"`
	Enrich    enrichConfig    `yaml:"enrich"`
	Analyze   analyzeConfig   `yaml:"analyze"`
	Flush     flushConfig     `yaml:"flush"`
	Limits    limitsConfig    `yaml:"limits"`
	Telemetry telemetryConfig `yaml:"telemetry"`
}

// The PostgreSQL database (14 to 18) that rows and positions are committed to.
type databaseConfig struct {
	// URL or keyword/value string of the database. `--database-url` and the variable `LOG_DATABASE_URL` go before it. A
	// password is better kept in the environment or in `~/.pgpass` than in this file. Hosts other than this machine are
	// spoken to with `sslmode=verify-full` unless the URL or `PGSSLMODE` says otherwise.
	URL secretURL `yaml:"url"`

	// Login of the schema's owner. When set, expired partitions are detached concurrently, without a lock on the table.
	MaintenanceURL secretURL `yaml:"maintenance_url"`

	// Schema that holds the tables. One schema holds one reading of a file; a second reading needs a second schema.
	Schema string `yaml:"schema"`

	// Age from which events are deleted, whole partitions at a time, and arriving ones are filtered (expired). Empty or
	// absent: everything is kept for ever.
	Retention duration `yaml:"retention"`
}

// What to read: a list, each entry of which has one key that names the kind of source. Cannot be set by the environment.
type sourceConfig struct {
	// Files of this machine, found by glob.
	File *fileConfig `yaml:"file"`
}

// A set of files, followed through their rotation.
type fileConfig struct {
	// Globs of absolute paths; `*`, `?`, `[a-z]`, `{a,b}` and `**` for any depth of folders.
	Paths []string `yaml:"paths"`

	// Globs of paths to leave out; one without a slash is matched against the file's name: `*.gz`.
	Exclude []string `yaml:"exclude"`

	// Where to begin in files that exist when this entry is used for the very first time: `beginning` or `end`. Files that
	// appear later are read from their beginning.
	StartAt string `yaml:"start_at"`
}

// How rotation is followed.
type filesConfig struct {
	// How long a truncated file waits for the copy that continues it, and a copy in progress for its original to shrink.
	CopyWait duration `yaml:"copy_wait"`

	// How long a file that was renamed or deleted is still read after its last byte came.
	Grace duration `yaml:"grace"`
}

// How lines become events.
type parseConfig struct {
	// `auto` (JSON where a line begins like JSON, text otherwise), `json` (anything else is a dead letter) or `text`.
	Format string `yaml:"format"`

	// Time zone of timestamps that name none: `UTC`, `Local` or a name such as `Europe/Paris`.
	TimeZone string `yaml:"time_zone"`

	// Further names of the standard fields: `{response_time: [latency_ms]}` reads `latency_ms` as `response_time`. Names
	// given here go before the built-in ones. Cannot be set by the environment.
	Fields map[string][]string `yaml:"fields"`
}

// Which events are analysed and which get a row.
type filterConfig struct {
	// Expression; events for which it holds are neither stored nor analysed.
	Drop string `yaml:"drop"`

	// Expression; only events for which it holds get a row, all others are analysed only. Empty: every event gets a row.
	Keep string `yaml:"keep"`

	// Share, 0 to 1, of the events that `keep` refuses which get a row all the same; without `keep`, of all events, and 0
	// then stands for all. Chosen by position, so that lines which are read again meet the same fate.
	Sample float64 `yaml:"sample"`
}

// What is added to events.
type enrichConfig struct {
	// Fill `hostname` with this machine's name where a line has none.
	Hostname bool `yaml:"hostname"`

	// Fill `browser` from the user agent: family, version and kind.
	UserAgent bool `yaml:"user_agent"`

	// Names for ranges of client addresses, put into `location`: `{Office: ["192.0.2.0/24"]}`. The longest prefix wins.
	// Others are `Internal Network` or `External`. Cannot be set by the environment.
	IPZones map[string][]string `yaml:"ip_zones"`
}

// What is computed from all events that were not dropped.
type analyzeConfig struct {
	// Width of a window of event time: whole seconds that divide an hour, less than that hour.
	Window duration `yaml:"window"`

	// Response time from which a request is slow.
	SlowRequest duration `yaml:"slow_request"`
}

// When a transaction is made.
type flushConfig struct {
	// Rows that are enough to commit at once. A threshold, not a cut: a batch is never split.
	Rows count `yaml:"rows"`

	// Longest time that a line which was read waits for its commit.
	Interval duration `yaml:"interval"`
}

// What logflume may use.
type limitsConfig struct {
	// Memory for lines in flight: raw bytes, events and encoded rows. Reading waits when it is used up. The Go runtime is
	// given this and a fixed allowance as its own limit, unless `GOMEMLIMIT` is set.
	Memory size `yaml:"memory"`

	// Longest line. A longer one becomes a dead letter that keeps its head. At most a quarter of `limits.memory`.
	Line size `yaml:"line"`

	// How many partitions may be made for days before yesterday. Events beyond that get the time they were received.
	Partitions count `yaml:"partitions"`
}

// How logflume is seen from outside.
type telemetryConfig struct {
	// Loopback address of `/healthz`, `/readyz` and `/metrics`; port 0 takes any free one, which is logged. Empty: no
	// listener.
	Listen string `yaml:"listen"`
}

// defaultConfig returns the configuration of an empty file.
func defaultConfig() *config {
	return &config{
		Database: databaseConfig{Schema: "logs"},
		Files:    filesConfig{CopyWait: duration(5 * time.Minute), Grace: duration(5 * time.Minute)},
		Parse:    parseConfig{Format: "auto", TimeZone: "UTC"},
		Enrich:   enrichConfig{Hostname: true, UserAgent: true},
		Analyze:  analyzeConfig{Window: duration(time.Minute), SlowRequest: duration(time.Second)},
		Flush:    flushConfig{Rows: 5000, Interval: duration(time.Second)},
		Limits:   limitsConfig{Memory: 64 << 20, Line: 1 << 20, Partitions: 200},
		Telemetry: telemetryConfig{
			Listen: "127.0.0.1:9464",
		},
	}
}

// startAtBeginning is the default of sources[].file.start_at, which defaultConfig has no place for.
const startAtBeginning = "beginning"

// unavailable names the keys that later versions will have, so that who sets one is not told that it is misspelt.
var unavailable = map[string]string{
	"sources[].kafka":         "reading Kafka is not available in this version: remove this source",
	"enrich.geoip":            "GeoIP lookup is not available in this version: remove the key",
	"telemetry.otlp_endpoint": "export over OTLP is not available in this version: remove the key and scrape /metrics instead",
}
