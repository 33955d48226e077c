package file

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

// StartAt says where reading begins in files that exist when an input is used for the very first time.
type StartAt string

const (
	Beginning StartAt = "beginning"
	End       StartAt = "end"
)

// An Input is one configured set of files.
type Input struct {
	Paths   []string // globs, with ** and {a,b}
	Exclude []string // globs of paths that are left out; one without a slash is matched against the file's name
	StartAt StartAt  // empty means Beginning
}

// Options configures a [Source].
type Options struct {
	Inputs    []Input       // the first one that matches a file owns it
	Host      string        // names this host in source keys
	LineLimit int           // bytes; a longer line becomes a dead letter
	Joins     Joins         // which lines are one event
	CopyWait  time.Duration // how long a copy may wait for its original, and a cut stream for its copy
	Grace     time.Duration // how long a file that is gone from its inputs must be quiet to be finished
	Deleted   time.Duration // how long a deleted file that is not read to its end is kept from vanishing
	Log       *slog.Logger
	Clock     Clock // nil means the system's clock

	mostFiles int // how many to hold open; 0 means what the limit on descriptors allows
}

// Defaults of Options, in force where a field is zero.
const (
	DefaultLineLimit = 1 << 20
	DefaultCopyWait  = 5 * time.Minute
	DefaultGrace     = 5 * time.Minute
	DefaultDeleted   = 24 * time.Hour
)

func (o *Options) complete() error {
	if o.LineLimit == 0 {
		o.LineLimit = DefaultLineLimit
	}
	if o.CopyWait == 0 {
		o.CopyWait = DefaultCopyWait
	}
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	if o.Deleted == 0 {
		o.Deleted = DefaultDeleted
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Host == "" {
		return errors.New("file source: host is empty")
	}
	o.Inputs = slices.Clone(o.Inputs)
	for i := range o.Inputs {
		in := &o.Inputs[i]
		if err := in.complete(); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) framing() framing { return framing{limit: o.LineLimit, joins: o.Joins} }

func (in *Input) complete() error {
	if err := Validate(in.Paths); err != nil {
		return err
	}
	if err := Validate(in.Exclude); err != nil {
		return err
	}
	switch in.StartAt {
	case "":
		in.StartAt = Beginning
	case Beginning, End:
	default:
		return fmt.Errorf("start_at: %q is neither %q nor %q", in.StartAt, Beginning, End)
	}
	paths := make([]string, len(in.Paths))
	for i, p := range in.Paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			return fmt.Errorf("make %q absolute: %w", p, err)
		}
		paths[i] = abs
	}
	in.Paths = paths
	return nil
}

// Validate reports the first of patterns that is no valid glob.
func Validate(patterns []string) error {
	for _, p := range patterns {
		if p == "" {
			return errors.New("a path pattern is empty")
		}
		if !doublestar.ValidatePathPattern(p) {
			return fmt.Errorf("path pattern %q: %w", p, doublestar.ErrBadPattern)
		}
	}
	return nil
}
