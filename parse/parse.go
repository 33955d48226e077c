package parse

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"logflume/pipeline"
)

// A Format says what lines may be.
type Format string

const (
	Auto   Format = "auto"   // what a container runtime wrote is unwrapped; then JSON where a line starts like it, logfmt, or text
	JSON   Format = "json"   // objects and arrays of objects; all else is a dead letter
	Logfmt Format = "logfmt" // pairs of key=value; all else is a dead letter
	Text   Format = "text"   // every line is a message
	Docker Format = "docker" // lines of docker's json-file, their contents as with Auto; all else is a dead letter
	CRI    Format = "cri"    // lines of a CRI runtime, their contents as with Auto; all else is a dead letter
)

// Options are the settings of a parser.
type Options struct {
	Format    Format
	Zone      *time.Location           // of times that name none; nil is UTC
	Fields    map[string][]string      // further keys for standard fields; they count before the built-in ones
	Service   string                   // for events that name none
	ServiceOf func(path string) string // the same for those of a file; "" leaves it at Service. nil means always
	Retention time.Duration            // events older than this are dropped; 0 keeps all
	Calendar  *pipeline.Calendar       // admits days; nil admits all
	Stats     *pipeline.Stats
	Now       func() time.Time // time.Now outside tests
}

// maxEvents bounds the events of one line, so that a batch stays within a small multiple of its budget.
const maxEvents = 10_000

// Reasons of dead letters, besides those of scan.go and logfmt.go.
const (
	badLength = "line: longer than limits.line"
	badCount  = "line: more than 10000 events"
	badKind   = "json: neither an object nor an array of objects"
	badRest   = "json: text after the end"
	badText   = "text: binary data"
	badDocker = "docker: not a line of json-file"
	badCRI    = "cri: not a line of a CRI runtime"
)

// New returns a function that makes a parser for each worker. It fails on an unknown format and on Fields for what is
// no standard field.
func New(o Options) (func() pipeline.Processor, error) {
	switch o.Format {
	case "":
		o.Format = Auto
	case Auto, JSON, Logfmt, Text, Docker, CRI:
	default:
		return nil, fmt.Errorf("format: %q is none of auto, json, logfmt, text, docker, cri", o.Format)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	names, err := newNames(o.Fields)
	if err != nil {
		return nil, err
	}
	return func() pipeline.Processor {
		return &parser{Options: o, names: names, scan: newScanner(names), repair: repairer{scan: newScanner(names)}}
	}, nil
}

// A parser is the parser of one worker. Everything below its tools is about the batch, line or event at hand.
type parser struct {
	Options
	names  *names
	scan   scanner
	repair repairer

	latest  int64 // last moment that is believed
	oldest  int64 // events before it have expired
	day     int32 // the day that was asked for last
	dayOpen bool  // whether it was admitted
	tally   tally // of the batch

	path    string // the file that was asked for last
	service string // its service, or that of all

	batch   *pipeline.Batch
	line    int
	changed bool // something in the line had to be rewritten

	wrapped bool     // the line came from a container runtime
	wrapper wrapping // of the line's first piece
	origin  origin   // of the batch, as far as was asked

	have     uint32         // fields that are set, as bits
	best     [fields]uint16 // by field: 1 + index of the member that counts
	badTime  []byte         // the time as written, if it cannot hold
	badIndex int            // its member, -1 if it is nested
}

// A tally counts what goes to Stats.
type tally struct{ sanitised, retimed, expired int64 }

// Process parses every line of b.
func (p *parser) Process(b *pipeline.Batch) {
	now := p.Now().UnixMicro()
	p.latest, p.oldest, p.dayOpen = now+day, math.MinInt64, false
	if p.Retention > 0 {
		p.oldest = now - p.Retention.Microseconds()
	}
	p.batch, p.tally = b, tally{}
	p.setService(b.Path)
	b.Events = slices.Grow(b.Events, len(b.Lines))
	for i := range b.Lines {
		switch l := &b.Lines[i]; {
		case l.Joined:
		case l.TooLong():
			b.Reject(i, badLength)
		default:
			p.parseLine(i)
		}
	}
	p.batch = nil
	p.Stats.Sanitised.Add(p.tally.sanitised)
	p.Stats.Retimed.Add(p.tally.retimed)
	p.Stats.Expired.Add(p.tally.expired)
}

// setService finds the service of a batch's lines that name none. Batches of a file come together.
func (p *parser) setService(path string) {
	if p.ServiceOf == nil || path == "" {
		p.path, p.service = "", p.Service
	} else if path != p.path {
		p.path, p.service = path, cmp.Or(p.ServiceOf(path), p.Service)
	}
}

func (p *parser) parseLine(i int) {
	b := p.batch
	raw := b.Raw(i)
	if b.Lines[i].Offset == 0 && len(raw) >= 3 && string(raw[:3]) == "\uFEFF" {
		raw = raw[3:]
	}
	if len(raw) == 0 {
		return
	}
	p.line, p.changed, p.wrapped = i, false, false
	events, text, counted := len(b.Events), len(b.Text), p.tally
	var reason string
	switch w, ok := p.unwrap(raw); {
	case ok:
		reason = p.parseWrapped(i, w)
	case p.Format == Docker:
		reason = badDocker
	case p.Format == CRI:
		reason = badCRI
	case b.Lines[i].Next != 0:
		reason = p.parseContent(p.Format, b.RawJoined(i))
	default:
		reason = p.parseContent(p.Format, raw)
	}
	if reason != "" {
		b.Events, b.Text, p.tally = b.Events[:events], b.Text[:text], counted
		b.Reject(i, reason)
		return
	}
	if p.changed {
		p.tally.sanitised++
	}
}

// parseContent parses what a program wrote as one line.
func (p *parser) parseContent(format Format, raw []byte) (reason string) {
	start := skipBlank(raw, 0)
	switch {
	case start == len(raw):
		return ""
	case looksJSON(raw, start) && format != Text && format != Logfmt:
		return p.parseJSON(raw, start)
	case format == JSON:
		return badKind
	default:
		return p.parseText(format, raw)
	}
}

// newEvent appends an event of the line at hand.
func (p *parser) newEvent(index int) *pipeline.Event {
	b := p.batch
	n := len(b.Events)
	b.Events = slices.Grow(b.Events, 1)[:n+1]
	e := &b.Events[n]
	*e = pipeline.Event{
		Time: b.Received, Offset: b.Lines[p.line].Offset, Line: int32(p.line), Index: int32(index),
		ResponseTime: math.NaN(), Service: p.service,
	}
	p.open(e)
	if p.wrapped && e.Service == "" {
		e.Service = p.origin.container
	}
	return e
}
