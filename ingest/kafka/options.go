package kafka

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/segmentio/kafka-go/sasl"
)

// StartAt says where reading begins in the partitions that a topic has when it is read for the very first time.
type StartAt string

const (
	Beginning StartAt = "beginning"
	End       StartAt = "end"
)

// Options configures a [Source].
type Options struct {
	Brokers []string // addresses to begin with, host:port; the brokers tell about the others
	Topics  []string
	Pattern *regexp.Regexp // further topics, also ones made later; nil means none. Internal topics never match.
	Group   string
	StartAt StartAt // empty means Beginning; partitions added later are read from their beginning

	Session  time.Duration  // how long the group waits for a heartbeat of a member before it goes on without it
	Progress time.Duration  // how long lines may wait for their commit before the member leaves the group
	TLS      *tls.Config    // nil means no encryption
	SASL     sasl.Mechanism // nil means no login

	Attrs     bool // add the member "kafka" to the events' attrs: topic, partition, offset, key, headers, timestamp
	LineLimit int  // bytes; a longer message becomes a dead letter

	Positions string // table of the position rows, as SQL that we advise names it; "logs.log_positions" when empty
	Log       *slog.Logger
}

// Defaults of Options, in force where a field is zero.
const (
	DefaultSession   = 10 * time.Second
	DefaultProgress  = 5 * time.Minute
	DefaultLineLimit = 1 << 20
)

func (o *Options) complete() error {
	if len(o.Brokers) == 0 {
		return errors.New("brokers: is empty")
	}
	if len(o.Topics) == 0 && o.Pattern == nil {
		return errors.New("topics: is empty, and there is no pattern")
	}
	if o.Group == "" {
		return errors.New("group: is empty")
	}
	switch o.StartAt {
	case "":
		o.StartAt = Beginning
	case Beginning, End:
	default:
		return fmt.Errorf("start_at: %q is neither %q nor %q", o.StartAt, Beginning, End)
	}
	if o.Session == 0 {
		o.Session = DefaultSession
	}
	if o.Progress == 0 {
		o.Progress = DefaultProgress
	}
	if o.LineLimit == 0 {
		o.LineLimit = DefaultLineLimit
	}
	o.Positions = cmp.Or(o.Positions, "logs.log_positions")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}
