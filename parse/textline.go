package parse

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"logflume/pipeline"
)

// parseText makes an event of a line that is not JSON: one of logfmt, or one of plain text.
func (p *parser) parseText(format Format, raw []byte) (reason string) {
	b := p.batch
	raw = bytes.TrimRight(raw, "\r")
	if !plainASCII(raw) {
		isBinary, invalid := inspect(raw)
		if isBinary {
			return badText
		}
		if invalid {
			p.changed = true
			start := len(b.Text)
			b.Text = append(b.Text, bytes.ToValidUTF8(raw, replacement)...)
			raw = b.Text[start:]
		}
	}
	message, exception := pipeline.String(raw), ""
	if b.Lines[p.line].Next != 0 {
		message, exception = splitTrace(message)
	}
	if format != Text { // logfmt is where the line begins, whichever part of it splitTrace calls the message
		if reason = p.parseLogfmt(raw[:len(message)], exception, format != Logfmt); reason == "" || format == Logfmt {
			return reason
		}
	}
	p.textEvent(raw, message, exception)
	return ""
}

// textEvent makes an event of a line of plain text: the text is the message, and the level is set if the line names one
// where loggers put it. Its time is when a container runtime received it, or what the line begins with, or that of the
// message which holds it, or when it was read. Of lines that were joined the message is the one that was logged, the
// exception is the stack trace.
func (p *parser) textEvent(raw []byte, message, exception string) {
	e := p.newEvent(0)
	st, _ := leadingStamp(message)
	e.Message, e.Exception, e.Level = cut(message, maxMessage), cut(exception, maxException), levelOfText(message, &st)
	p.badTime = nil
	p.takeLeadingTime(e, message, &st)
	out := append(p.batch.Text, '{')
	if len(e.Message) < len(message) || len(e.Exception) < len(exception) {
		out = append(appendQuoted(append(out, `"message":`...), raw), ',')
	}
	p.closeAttrs(e, out, nil)
}

// plainASCII reports whether p has nothing but printable ASCII and DEL.
func plainASCII(p []byte) bool {
	for len(p) >= 8 {
		x := binary.LittleEndian.Uint64(p)
		if (x|(x-' '*ones))&highs != 0 {
			return false
		}
		p = p[8:]
	}
	for _, c := range p {
		if c < ' ' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// inspect tells text from binary data: that has a NUL, or more than an eighth of it is control characters that no
// terminal output has and bytes that are not UTF-8.
func inspect(p []byte) (isBinary, invalid bool) {
	bad := 0
	for i := 0; i < len(p); {
		c := p[i]
		if c < utf8.RuneSelf {
			if c == 0 {
				return true, false
			}
			if c < '\a' || c > '\r' && c < ' ' && c != '\x1b' {
				bad++
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && size == 1 {
			bad++
			invalid = true
		}
		i += size
	}
	return bad*8 > len(p), invalid
}

// Where levelInText looks.
const (
	levelWithin = 96 // bytes from the start
	levelWords  = 2  // words without a digit that may stand before it: host, program, logger
)

// levelInText finds the level of a line of text: a word in brackets ([error], <warn>, Apache's [core:error]), or one in capitals that stands
// alone near the start (ERROR:, | INFO |), or logfmt's level=. It does not guess: other lines have no level.
func levelInText(s string) string {
	s = s[:min(len(s), levelWithin)]
	words := 0
	for i := 0; i < len(s) && words <= levelWords; {
		start := i
		for i < len(s) && letter(s[i]) {
			i++
		}
		if i == start {
			i++
			continue
		}
		word := s[start:i]
		if before, after := around(s, start, i); levelPlace(word, before, after) {
			// HTTP, CONFIG and FINE are levels only where nothing else can stand.
			if name, exact := level(word); len(word) > 1 && (exact || name == levelCritical) {
				return name
			}
		}
		if word == "level" && strings.HasPrefix(s[i:], "=") {
			return logfmtLevel(s[i+1:])
		}
		if module := moduleEnd(s, start, i); module > 0 {
			i = module
			continue
		}
		for i < len(s) && s[i] != ' ' { // the rest of a word such as app[7]:
			i++
		}
		if !strings.ContainsAny(s[start:i], "0123456789") {
			words++
		}
	}
	return ""
}

// moduleEnd returns where the level starts in a bracket [module:level] whose module starts with s[start:end], or 0.
func moduleEnd(s string, start, end int) int {
	if start == 0 || s[start-1] != '[' {
		return 0
	}
	for end < len(s) && (wordByte(s[end]) || s[end] == '_') {
		end++
	}
	if end == len(s) || s[end] != ':' {
		return 0
	}
	return end + 1
}

// levelPlace reports whether a word between these two bytes may be a level.
func levelPlace(word string, before, after byte) bool {
	switch before {
	case '[', '<', '(':
		return after == ']' || after == '>' || after == ')'
	case ':':
		return after == ']'
	case ' ', '\t', '|', 0:
		return capitals(word) && (after == ' ' || after == '\t' || after == ':' || after == '|' || after == 0)
	}
	return false
}

func logfmtLevel(s string) string {
	s = strings.TrimPrefix(s, `"`)
	end := 0
	for end < len(s) && letter(s[end]) {
		end++
	}
	name, _ := level(s[:end])
	return name
}

// around returns the bytes before and after s[start:end], 0 where there is none.
func around(s string, start, end int) (before, after byte) {
	if start > 0 {
		before = s[start-1]
	}
	if end < len(s) {
		after = s[end]
	}
	return before, after
}

func capitals(word string) bool {
	for i := range len(word) {
		if word[i] >= 'a' {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
