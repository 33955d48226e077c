package pipeline

import (
	"math"
	"net/netip"
)

// An Event is one parsed log entry on its way to a row of log_events. Its strings and slices point into the memory of
// the Batch that holds it. An empty string stands for SQL NULL.
type Event struct {
	Time         int64   // event time
	Offset       int64   // position of the event's line in its source
	PatternID    int64   // id of the message's pattern; 0 when it has none
	ResponseTime float64 // milliseconds; NaN when absent
	ClientIP     netip.Addr
	Line         int32 // index into Batch.Lines
	Index        int32 // index among the events of that line (a JSON array has several)
	Status       int16 // HTTP status; 0 when absent
	Fate         Fate
	Slow         bool

	Level     string // TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL, or what the line said, in upper case
	Service   string
	Hostname  string
	Logger    string
	Endpoint  string // normalised route: /users/{n}
	Method    string
	Message   string
	Exception string
	TraceID   string
	UserID    string
	TenantID  string
	Location  string
	Browser   string

	Fingerprint string // what the line says its pattern is
	UserAgent   string // as logged; enrichment reads it, the line's own attrs keep it
	Pattern     string // masked text of an error event; "" when PatternID is 0

	Attrs []byte // JSON object of everything that has no column; nil stands for {}
	Extra string // JSON members that enrichment adds to Attrs, without braces: `"a":1,"b":2`
}

// Fate says what becomes of an event.
type Fate uint8

const (
	Keep     Fate = iota // stored and analysed
	Refuse               // analysed only: filter.keep said no
	Drop                 // neither: filter.drop said so, or it is older than the retention
	Rejected             // could not be stored; a dead letter stands for it. Analysed.
)

// HasResponseTime reports whether the event carries a response time.
func (e *Event) HasResponseTime() bool { return !math.IsNaN(e.ResponseTime) }

// IsError reports whether the event counts as an error: level ERROR or CRITICAL.
func (e *Event) IsError() bool { return e.Level == "ERROR" || e.Level == "CRITICAL" }

// A Line is one raw entry inside Batch.Arena, without its terminator.
type Line struct {
	Offset     int64 // position of its first byte (file) or of the message (topic)
	Start, End int   // bytes in Batch.Arena
	Length     int64 // true length in bytes; more than End-Start when the line was longer than limits.line
	Partial    bool  // the last line of a finished file, which had no newline
	Joined     bool  // continues the event that an earlier line began: only that line is parsed
	Next       int32 // how many lines further on the line stands that continues this one; 0 when none does
}

// A Span is a range of bytes in Batch.Arena; none when it is empty.
type Span struct{ Start, End int32 }

// An Envelope is what a message brings beside its value. It serves where the value itself says nothing.
type Envelope struct {
	Time    int64 // the message's timestamp; 0 when it has none
	TraceID Span  // hexadecimal
	Attrs   Span  // JSON members to be added to the events' attrs, without braces
}

// TooLong reports whether only the head of the line is present. Such a line becomes a dead letter.
func (l *Line) TooLong() bool { return l.Length > int64(l.End-l.Start) }

// A DeadLetter is a line, or a row made of it, that could not be stored.
type DeadLetter struct {
	Offset    int64  // position of the line
	Line      int32  // index into Batch.Lines
	Event     int32  // index among the events of that line; WholeLine when there is none
	Lines     int32  // how many lines are dead for it, set by [Batch.Ledger]: 0 when the line has a row, or another letter
	Length    int64  // true length of the line in bytes
	Reason    string // short and constant: "json: unexpected end of input"
	SQLState  string // five characters when Postgres refused the row, else ""
	Raw       []byte // the line, with those joined to it, cut to MaxDeadLetter
	Truncated bool   // Raw is only the head of the line
}

// WholeLine is DeadLetter.Event of a line that could not be parsed.
const WholeLine = -1

// MaxDeadLetter is how many bytes of a line a dead letter keeps.
const MaxDeadLetter = 64 << 10
