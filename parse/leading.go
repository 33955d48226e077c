package parse

import "logflume/pipeline"

// Where leadingStamp looks.
const (
	stampWithin   = 128 // bytes from the start
	stampPrefixes = 4   // levels and brackets that may stand before it
)

// leadingStamp finds the time at the start of a line of text: at once or behind levels, brackets, colours and the like
// (INFO [main] 2006-01-02 …, <34>1 2006-…), or in an access log's bracket. A time anywhere else is one that the line
// tells of.
func leadingStamp(s string) (st stamp, ok bool) {
	at := 0
	for range stampPrefixes {
		if at = skipFiller(s, at); at >= min(len(s), stampWithin) {
			return st, false
		}
		if st, ok = stampAt(s, at); ok {
			return st, true
		}
		if c := s[at]; c == '[' || c == '(' {
			if st, ok = stampAt(s, at+1); ok {
				return st, true
			}
		}
		if at = skipPrefix(s, at); at < 0 {
			break
		}
	}
	return accessStamp(s)
}

// skipFiller skips blanks, separators and the escapes that colour a terminal.
func skipFiller(s string, at int) int {
	for at < len(s) && at < stampWithin {
		switch c := s[at]; {
		case c == ' ' || c == '\t' || c == '|' || c == '-':
			at++
		case c == '\x1b' && at+1 < len(s) && s[at+1] == '[':
			at += 2
			for at < len(s) && (s[at]-'0' <= 9 || s[at] == ';') {
				at++
			}
			at++ // the m
		default:
			return at
		}
	}
	return at
}

// skipPrefix skips what may stand before a stamp: something in brackets, a level, the priority and version of syslog,
// the process of Redis (1:M). It returns -1 if something else stands there.
func skipPrefix(s string, at int) int {
	switch c := s[at]; {
	case c == '[':
		return skipPast(s, at, ']')
	case c == '(':
		return skipPast(s, at, ')')
	case c == '<':
		if at = skipPast(s, at, '>'); at > 0 && at+1 < len(s) && s[at]-'0' <= 9 && s[at+1] == ' ' {
			at += 2
		}
		return at
	case letter(c):
		end := at
		for end < len(s) && letter(s[end]) {
			end++
		}
		if name, _ := level(s[at:end]); name == "" || end-at < 2 {
			return -1
		}
		if end < len(s) && s[end] == ':' {
			end++
		}
		return end
	case c-'0' <= 9:
		for at < len(s) && s[at]-'0' <= 9 && at < stampWithin {
			at++
		}
		if at+3 > len(s) || s[at] != ':' || !letter(s[at+1]) || s[at+2] != ' ' {
			return -1
		}
		return at + 3
	}
	return -1
}

// skipPast returns the position behind the next closing byte in the line, -1 if it has none near its start.
func skipPast(s string, at int, closing byte) int {
	for ; at < len(s) && at < stampWithin && s[at] != '\n'; at++ {
		if s[at] == closing {
			return at + 1
		}
	}
	return -1
}

// accessStamp finds [02/Jan/2006:15:04:05 -0700], before which an access log may have any fields.
func accessStamp(s string) (st stamp, ok bool) {
	const shortest = "[02/Jan/2006:15:04"
	for at := 0; at < stampWithin && at+len(shortest) <= len(s) && s[at] != '\n'; at++ {
		if s[at] == '[' && s[at+3] == '/' && s[at+7] == '/' && s[at+12] == ':' {
			return stampAt(s, at+1)
		}
	}
	return st, false
}

// takeLeadingTime gives an event of text the time that the line begins with. In a container the runtime's holds: it was
// taken when the line was written, by one clock for all containers, and has a year and a zone, which the line's own may
// lack. What Kafka says is when the line was sent, perhaps long after, so it only helps to find the year.
func (p *parser) takeLeadingTime(e *pipeline.Event, text string, st *stamp) {
	if p.wrapped || st.end == 0 {
		p.takeOuterTime(e)
		return
	}
	reference := e.Time
	if envelope := p.batch.Envelope(p.line); envelope != nil && envelope.Time >= earliest && envelope.Time <= p.latest {
		reference = envelope.Time
	}
	t, ok := st.micros(p.Zone, reference)
	if ok && p.setTime(e, t) {
		return
	}
	p.takeOuterTime(e)
	p.tally.retimed++
	b := p.batch
	start := len(b.Text)
	b.Text = append(append(append(b.Text, '"'), text[st.start:st.end]...), '"') // no stamp has a byte to escape
	p.badTime = b.Text[start:]
}
