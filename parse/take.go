package parse

import (
	"bytes"
	"strings"

	"logflume/pipeline"
)

// Limits of texts in columns, in bytes; longer ones are cut there and stay whole in attrs. The short ones keep rows
// within what Postgres can index.
const (
	maxShort     = 200
	maxEndpoint  = 512
	maxMessage   = 8 << 10
	maxException = 32 << 10
)

// An outcome says what became of a value.
type outcome uint8

const (
	unusable outcome = iota // no value for the field; it stays in attrs
	empty                   // null or "": no value at all
	taken                   // the field says all there was
	copied                  // the field was set, and the value stays in attrs since it says more
)

// take sets field f of e from value, JSON as written. index is the value's member, -1 if it is nested or weak.
func (p *parser) take(e *pipeline.Event, f field, u unit, value []byte, escaped bool, index int) outcome {
	if value[0] == 'n' || len(value) == 2 && value[0] == '"' {
		return empty
	}
	switch f {
	case fieldTime:
		return p.takeTime(e, value, escaped, index)
	case fieldLevel:
		return p.takeLevel(e, value, escaped)
	case fieldService:
		return p.takeText(&e.Service, value, escaped, maxShort)
	case fieldLogger:
		return p.takeText(&e.Logger, value, escaped, maxShort)
	case fieldMessage:
		return p.takeText(&e.Message, value, escaped, maxMessage)
	case fieldException:
		return p.takeException(e, value, escaped)
	case fieldTraceID:
		return p.takeTraceID(e, value, escaped)
	case fieldUserID:
		return p.takeText(&e.UserID, value, escaped, maxShort)
	case fieldTenantID:
		return p.takeText(&e.TenantID, value, escaped, maxShort)
	case fieldEndpoint:
		return p.takeEndpoint(e, value, escaped)
	case fieldMethod:
		return p.takeMethod(e, value, escaped)
	case fieldStatus:
		return p.takeStatus(e, value, escaped)
	case fieldResponseTime:
		return p.takeResponseTime(e, u, value, escaped)
	case fieldClientIP:
		return p.takeClientIP(e, value, escaped)
	case fieldUserAgent:
		if p.takeText(&e.UserAgent, value, escaped, maxMessage) == unusable {
			return unusable
		}
		return copied
	case fieldFingerprint:
		return p.takeFingerprint(e, value, escaped)
	case fieldRequestLine:
		return p.takeRequestLine(e, value, escaped)
	}
	return unusable
}

// text returns the text of a string, or of a number as written; ok is false for other values.
func (p *parser) text(value []byte, escaped bool) (s string, ok bool) {
	switch c := value[0]; {
	case c != '"':
		return pipeline.String(value), c == '-' || c-'0' <= 9
	case !escaped:
		return pipeline.String(value[1 : len(value)-1]), true
	}
	b := p.batch
	start := len(b.Text)
	b.Text = unescape(b.Text, value[1:len(value)-1])
	return pipeline.String(b.Text[start:]), true
}

func (p *parser) takeText(to *string, value []byte, escaped bool, limit int) outcome {
	s, ok := p.text(value, escaped)
	if !ok {
		return unusable
	}
	*to = s
	if len(s) > limit {
		*to = cut(s, limit)
		return copied
	}
	return taken
}

// cut returns the longest beginning of s within limit bytes that ends between characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xc0 == 0x80 {
		limit--
	}
	return s[:limit]
}

func (p *parser) takeLevel(e *pipeline.Event, value []byte, escaped bool) outcome {
	s, ok := p.text(value, escaped)
	if !ok {
		return unusable
	}
	name, exact := level(s)
	if name == "" {
		if name, exact = numericLevel(s); name == "" && value[0] != '"' {
			return unusable
		}
	}
	if name == "" {
		return p.takeUnknownLevel(e, s)
	}
	e.Level = name
	if exact {
		return taken
	}
	return copied
}

// takeUnknownLevel keeps a word that no logger is known for, in upper case.
func (p *parser) takeUnknownLevel(e *pipeline.Event, word string) outcome {
	b := p.batch
	start := len(b.Text)
	for _, c := range []byte(cut(word, maxShort)) {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		b.Text = append(b.Text, c)
	}
	e.Level = pipeline.String(b.Text[start:])
	if e.Level == word {
		return taken
	}
	return copied
}

func (p *parser) takeTraceID(e *pipeline.Event, value []byte, escaped bool) outcome {
	o := p.takeText(&e.TraceID, value, escaped, maxShort)
	if o == unusable || !strings.HasPrefix(e.TraceID, "projects/") {
		return o
	}
	e.TraceID = e.TraceID[strings.LastIndexByte(e.TraceID, '/')+1:] // Google's resource name
	return copied
}

// takeTime sets the event's time, if it holds. p.badTime keeps the first that does not.
func (p *parser) takeTime(e *pipeline.Event, value []byte, escaped bool, index int) outcome {
	if t, ok := p.timeOf(value, escaped); ok && p.setTime(e, t) {
		return taken
	}
	if p.badTime == nil {
		p.badTime, p.badIndex = value, index
	}
	return unusable
}

// setTime makes t the event's time, and drops an event that has expired. It refuses times that cannot be, and days that
// the calendar does not admit.
func (p *parser) setTime(e *pipeline.Event, t int64) bool {
	if t < earliest || t > p.latest {
		return false
	}
	if t < p.oldest {
		e.Time, e.Fate = t, pipeline.Drop
		p.tally.expired++
		return true
	}
	if !p.admitted(t) {
		return false
	}
	e.Time = t
	return true
}

// timeOf reads a time, which may also be an object of seconds and nanoseconds (log4j2, Google).
func (p *parser) timeOf(value []byte, escaped bool) (micros int64, ok bool) {
	if value[0] == '{' {
		return timeOfObject(pipeline.String(value))
	}
	s, ok := p.text(value, escaped)
	if !ok {
		return 0, false
	}
	if micros, ok = parseTime(s, p.Zone); !ok && value[0] != '"' && bytes.IndexByte(value, 'e') > 0 {
		f, ok := parseNumber(s)
		return int64(f * second), ok && f > 0 && f < float64(p.latest)/second
	}
	return micros, ok
}

// admitted asks the calendar, remembering the last answer, since lines of a day come together.
func (p *parser) admitted(t int64) bool {
	if p.Calendar == nil {
		return true
	}
	if d := pipeline.Day(t); !p.dayOpen || d != p.day {
		p.day, p.dayOpen = d, p.Calendar.Admit(d)
	}
	return p.dayOpen
}
