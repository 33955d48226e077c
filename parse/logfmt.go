package parse

// Reasons of dead letters under the format logfmt.
const (
	badPair  = "logfmt: not a pair of key and value"
	badQuote = "logfmt: a quoted value does not end"
)

// Logfmt is pairs of KEY=VALUE with blanks between them, a value that has blanks in quotes. A line is rewritten as an
// object of JSON and goes on as one, so that keys mean the same in both, and limits hold for both.

// parseLogfmt makes an event of a line of logfmt, and of the trace that follows it, "" if none. Where the line may also
// be text, only what no sentence looks like is logfmt: pairs alone, two or more, one of them with a key under which
// loggers keep the time, the level, the message or the error.
func (p *parser) parseLogfmt(line []byte, trace string, orText bool) (reason string) {
	if orText && !startsPair(line) {
		return badPair
	}
	b := p.batch
	start, changed := len(b.Text), p.changed
	var object []byte
	if object, reason = p.appendPairs(b.Text, line, orText); reason != "" {
		p.changed = changed
		return reason
	}
	if trace != "" {
		object = append(object, `"stack_trace":`...)
		object = append(appendText(object, []byte(trace)), ',')
	}
	object[len(object)-1] = '}'
	b.Text = object
	_, reason = p.parseObject(object[start:len(object):len(object)], 0, 0)
	return reason
}

// startsPair reports whether line starts with a key such as loggers write and an equals sign.
func startsPair(line []byte) bool {
	start := skipBlank(line, 0)
	i := start
	for i < len(line) && keyByte[line[i]] {
		i++
	}
	return i < len(line) && line[i] == '=' && isKey(line[start:i])
}

// isKey reports whether key is one that loggers write.
func isKey(key []byte) bool {
	if len(key) == 0 || !letter(key[0]) && key[0] != '_' && key[0] != '@' {
		return false
	}
	for _, c := range key {
		if !keyByte[c] {
			return false
		}
	}
	return true
}

// keyByte holds the bytes of such a key.
var keyByte = func() (is [256]bool) {
	for c := range is {
		is[c] = letter(byte(c)) || byte(c)-'0' <= 9 || c == '_' || c == '.' || c == '-' || c == '/' || c == '@'
	}
	return is
}()

// appendPairs appends an object to dst, whose last byte is a comma in the place of its brace.
func (p *parser) appendPairs(dst, line []byte, orText bool) (out []byte, reason string) {
	out = append(dst, '{')
	pairs, known := 0, false
	for i := skipBlank(line, 0); i < len(line); i = skipBlank(line, i) {
		start := i
		for i < len(line) && line[i] != '=' && !isBlank(line[i]) {
			i++
		}
		key := line[start:i]
		isPair := i < len(line) && line[i] == '='
		if len(key) == 0 || key[0] == '"' || !isPair && (orText || pairs == 0) || orText && !isKey(key) {
			return dst, badPair
		}
		if out = append(appendText(out, key), ':'); !isPair {
			out = append(out, "true,"...) // a flag
			continue
		}
		pairs++
		if orText && !known {
			known = p.tellsLogger(key)
		}
		if i++; i < len(line) && line[i] == '"' {
			out, i = p.appendQuotedValue(out, line, i+1)
			if i < 0 {
				return dst, badQuote
			}
		} else {
			start = i
			for i < len(line) && !isBlank(line[i]) {
				i++
			}
			out = appendBareValue(out, line[start:i])
		}
		out = append(out, ',')
	}
	if orText && (pairs < 2 || !known) {
		return dst, badPair
	}
	return out, ""
}

// tellsLogger reports whether a logger wrote the line that has this key.
func (p *parser) tellsLogger(key []byte) bool {
	n := p.names.find(key, hash(key)).name
	switch n.field {
	case fieldTime, fieldLevel, fieldMessage, fieldException:
		return !n.weak
	}
	return false
}

// isBlank is false of most bytes after one comparison.
func isBlank(c byte) bool { return c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n') }
