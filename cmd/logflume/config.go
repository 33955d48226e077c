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

	// Login of the schema's owner. When set, expired partitions are detached concurrently, without a lock on the table:
	// each is marked with a comment, detached, and dropped. Marked tables are tried again until they are gone; a partition
	// that somebody detached has no mark and is kept.
	MaintenanceURL secretURL `yaml:"maintenance_url"`

	// Schema that holds the tables. One schema holds one reading of a file; a second reading needs a second schema.
	Schema string `yaml:"schema"`

	// Age from which events are deleted, whole partitions at a time, and arriving ones are filtered (expired). Empty or
	// absent: everything is kept for ever.
	Retention duration `yaml:"retention"`

	// Age from which hour and day rows of the analysis are deleted. Empty or absent: as events are. They take little
	// space, so dashboards can look back much further than there are events.
	RetentionWindows duration `yaml:"retention_windows"`
}

// What to read: a list, each entry of which has one key that names the kind of source. Cannot be set by the environment.
type sourceConfig struct {
	// Files of this machine, found by glob.
	File *fileConfig `yaml:"file"`

	// Topics of a Kafka cluster.
	Kafka *kafkaConfig `yaml:"kafka"`
}

// A set of files, followed through their rotation.
type fileConfig struct {
	// Globs of absolute paths; `*`, `?`, `[a-z]`, `{a,b}` and `**` for any depth of folders.
	Paths []string `yaml:"paths"`

	// Globs of paths to leave out; one without a slash is matched against the file's name: `*.gz`.
	Exclude []string `yaml:"exclude"`

	// Service of the lines that name none, instead of `service` and of a container's name. An import of these files uses it too.
	Service string `yaml:"service"`

	// Where to begin in files that exist when this entry is used for the very first time: `beginning` or `end`. Files that
	// appear later are read from their beginning.
	StartAt string `yaml:"start_at"`
}

// Topics of an Apache Kafka cluster (2.4 or newer), or of a broker that speaks its protocol. Start more instances with the
// same group and they divide the partitions; positions are kept in PostgreSQL, in the transaction that stores the events.
type kafkaConfig struct {
	// Addresses to begin with, host:port. The brokers tell about the others.
	Brokers []string `yaml:"brokers"`

	// Names of topics. One that does not exist yet is read when it does.
	Topics []string `yaml:"topics"`

	// Regular expression (RE2); topics whose whole name matches are read too, also ones made later. Internal ones never are.
	TopicPattern string `yaml:"topic_pattern"`

	// Consumer group to be a member of. All members are given the same topics.
	Group string `yaml:"group"`

	// Where to begin in the partitions that a topic has when it is read for the very first time: `beginning` or `end`.
	// Partitions that are added later are read from their beginning.
	StartAt string `yaml:"start_at"`

	// How long the group waits for a sign of life before it gives a member's partitions to others. The brokers bound it
	// (`group.min.session.timeout.ms`, 6 s unless changed).
	SessionTimeout duration `yaml:"session_timeout"`

	// How long messages that were read may wait for their commit before this instance leaves the group, so that others can
	// try. It comes back when the database answers.
	ProgressTimeout duration `yaml:"progress_timeout"`

	// Add a member `kafka` to `attrs`: topic, partition, offset, timestamp (ms), key, headers. It takes the place of one that
	// the line has itself.
	Attrs bool `yaml:"attrs"`

	// Encryption.
	TLS kafkaTLSConfig `yaml:"tls"`

	// Login.
	SASL kafkaSASLConfig `yaml:"sasl"`
}

// Encryption of the connections to the brokers. Their certificates are always verified.
type kafkaTLSConfig struct {
	// Whether connections are encrypted.
	Enabled bool `yaml:"enabled"`

	// PEM file with the certificates of the authorities to trust. Empty: those that the system trusts.
	CA string `yaml:"ca"`

	// PEM file with our own certificate and those between it and its authority, where the brokers ask for one.
	Cert string `yaml:"cert"`

	// PEM file with the private key of `cert`.
	Key string `yaml:"key"`

	// Name that the brokers' certificates must have. Empty: the host name of each broker's address.
	ServerName string `yaml:"server_name"`
}

// Login at the brokers. Absent: none.
type kafkaSASLConfig struct {
	// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`. PLAIN sends the password as it is, so to other machines only with TLS.
	Mechanism string `yaml:"mechanism"`

	// Who logs in.
	Username string `yaml:"username"`

	// Better `"${KAFKA_PASSWORD}"` than the password itself. It is never printed or logged.
	Password secret `yaml:"password"`
}

// defaultKafka is the start of every `kafka` entry.
func defaultKafka() kafkaConfig {
	return kafkaConfig{
		StartAt: startAtBeginning, SessionTimeout: duration(10 * time.Second), ProgressTimeout: duration(5 * time.Minute),
	}
}

// How files are read and their rotation is followed.
type filesConfig struct {
	// `auto`: the lines of a stack trace (Python, Java, Go, Node, .NET, Ruby) are one event with the line that was logged
	// before them, and an indented line belongs to the line before it. A line waits up to a second for more, an event ends
	// after 2000 lines or `limits.line` bytes; JSON lines neither wait nor are joined. `off`: each line is an event. What a
	// container runtime cut is always put together.
	Multiline string `yaml:"multiline"`

	// How long a truncated file waits for the copy that continues it, and a copy in progress for its original to shrink.
	CopyWait duration `yaml:"copy_wait"`

	// How long a file that was renamed or deleted is still read after its last byte came.
	Grace duration `yaml:"grace"`

	// How long a deleted file is kept from vanishing while it cannot be read to its end, as when the database is away or the
	// source is paused: such files fill the disk unseen. Then it is given up, counted as `cut`, and what was left is in
	// `lost_bytes`. At least `files.grace`.
	DeletedWait duration `yaml:"deleted_wait"`
}

// How lines become events.
type parseConfig struct {
	// `auto`: what a container runtime wrote (docker's json-file, CRI) is unwrapped, then a line is JSON where it begins
	// like JSON, logfmt where it is nothing but two or more pairs `key=value`, one of them a time, level, message or error
	// by its key, and text otherwise. `docker`, `cri`: the same, and lines that are not wrapped in that way are dead
	// letters. `json`: all but objects and arrays of objects are dead letters. `logfmt`: all that does not begin with
	// `key=`, or has a quote that does not end, is a dead letter; the keys mean what they mean in JSON, a word alone is
	// `true`. `text`: every line is a message. Of unwrapped lines `stream` and, from the file's name, `namespace`, `pod`,
	// `container` and `container_id` are put into `attrs`; the container's name is the service of lines that name none,
	// unless `service` or the source's is set. What of a line of text is read as its time and level: [lines of text](database.md#lines-of-text).
	Format string `yaml:"format"`

	// Time zone of timestamps that name none: `UTC`, `Local` or a name such as `Europe/Paris`. In lines of text and of
	// logfmt too. Zones in letters other than `Z`, `UTC` and `GMT` are not read.
	TimeZone string `yaml:"time_zone"`

	// Further names of the standard fields: `{response_time: [latency_ms]}` reads `latency_ms` as `response_time`. Names
	// given here go before the built-in ones. `fingerprint`, a text or a list of texts, names the pattern of an error in
	// the place of its message. Cannot be set by the environment.
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

	// How much of the dead letters of one source (a file) may be in the database: what is kept of the lines, and 100 bytes
	// for each; the files that a log is rotated through (`app.log`, `app.log.1`, `app-2026-01-15.log`) count together.
	// Beyond that, exceeded by one transaction at most, the source is paused before its next dead letter, `/readyz`
	// says so, and no line is lost or passed over. It goes on by itself within seconds once letters were replayed, purged or expired, and after a restart
	// with a higher limit; lines that can be stored are not held up.
	DeadLetters size `yaml:"dead_letters"`

	// How many partitions may be made for days before yesterday. Events beyond that get the time they were received.
	Partitions count `yaml:"partitions"`
}

// How logflume is seen from outside.
type telemetryConfig struct {
	// Address of `/healthz`, `/readyz` and `/metrics`; port 0 takes any free one, which is logged. Empty: no listener. It
	// asks nobody who they are, so only this machine reaches it unless another address of it is named, as for a Prometheus
	// in another container: `192.0.2.1:9464`, or `0.0.0.0:9464` for all there are. `check` and the log then warn of it.
	Listen string `yaml:"listen"`
}

// defaultConfig returns the configuration of an empty file.
func defaultConfig() *config {
	return &config{
		Database: databaseConfig{Schema: "logs"},
		Files:    filesConfig{Multiline: multilineAuto, CopyWait: duration(5 * time.Minute), Grace: duration(5 * time.Minute), DeletedWait: duration(24 * time.Hour)},
		Parse:    parseConfig{Format: "auto", TimeZone: "UTC"},
		Enrich:   enrichConfig{Hostname: true, UserAgent: true},
		Analyze:  analyzeConfig{Window: duration(time.Minute), SlowRequest: duration(time.Second)},
		Flush:    flushConfig{Rows: 5000, Interval: duration(time.Second)},
		Limits:   limitsConfig{Memory: 64 << 20, Line: 1 << 20, DeadLetters: 64 << 20, Partitions: 200},
		Telemetry: telemetryConfig{
			Listen: "127.0.0.1:9464",
		},
	}
}

// Values of files.multiline.
const (
	multilineAuto = "auto"
	multilineOff  = "off"
)

// startAtBeginning is the default of sources[].file.start_at, which defaultConfig has no place for.
const startAtBeginning = "beginning"

// unavailable names the keys that later versions will have, so that who sets one is not told that it is misspelt.
var unavailable = map[string]string{
	"enrich.geoip":            "GeoIP lookup is not available in this version: remove the key",
	"telemetry.otlp_endpoint": "export over OTLP is not available in this version: remove the key and scrape /metrics instead",
}
