package file

import "bytes"

// A wrapper is as much as joining needs of what a container runtime says in a line: see package parse, which unwraps
// the same two forms.
type wrapper struct {
	content []byte // beginning of what the program wrote; what it is when no runtime wrote the line
	stream  int    // 0 for stdout, 1 for stderr
	partial bool   // the runtime cut the line here
	millis  int    // time of day, in the zone of the line; -1 when there is none
}

const (
	stdoutField = "stdout "
	stderrField = "stderr "

	dockerStart  = `{"log":"`
	dockerStream = `","stream":"std`
	dockerTime   = `,"time":"`
)

// decodedSize is how much is decoded of a content with escapes.
const decodedSize = 512

// unwrap takes raw apart, if pieces are to be told at all, and reports whether a runtime wrote it.
func (w *wrapper) unwrap(raw, scratch []byte, pieces bool) bool {
	*w = wrapper{content: raw, millis: -1}
	switch {
	case !pieces:
	case raw[0]-'0' <= 9:
		return w.unwrapCRI(raw)
	case len(raw) > len(dockerStart) && string(raw[:len(dockerStart)]) == dockerStart:
		return w.unwrapDocker(raw, scratch)
	}
	return false
}

func (w *wrapper) unwrapCRI(raw []byte) bool {
	const shortest = len("2006-01-02T15:04:05Z stdout F")
	if len(raw) < shortest || raw[4] != '-' || raw[10] != 'T' {
		return false
	}
	end := bytes.IndexByte(raw[:min(len(raw), 40)], ' ')
	if end < 0 || len(raw) < end+len(stdoutField)+2 {
		return false
	}
	switch string(raw[end+1 : end+1+len(stdoutField)]) {
	case stdoutField:
	case stderrField:
		w.stream = 1
	default:
		return false
	}
	rest := raw[end+1+len(stdoutField):]
	tag, rest := rest[0], rest[1:]
	if tag != 'P' && tag != 'F' || len(rest) > 0 && rest[0] != ' ' && rest[0] != ':' {
		w.stream = 0
		return false
	}
	w.partial = tag == 'P'
	w.content = nil
	if blank := bytes.IndexByte(rest, ' '); blank >= 0 {
		w.content = rest[blank+1:]
	}
	w.millis = millisOf(raw[:end])
	return true
}

// unwrapDocker looks for the end of the content from behind: within it a quote is always escaped, so its form cannot
// occur there.
func (w *wrapper) unwrapDocker(raw, scratch []byte) bool {
	end := bytes.LastIndex(raw, []byte(dockerStream))
	if end < 0 {
		return false
	}
	switch rest := raw[end+len(dockerStream):]; {
	case startsWith(rest, `out",`):
	case startsWith(rest, `err",`):
		w.stream = 1
	default:
		return false
	}
	body := raw[len(dockerStart):max(end, len(dockerStart))]
	line, cutNewline := bytes.CutSuffix(body, []byte(`\n`))
	w.partial = !cutNewline || oddBackslashes(line)
	if w.partial {
		line = body
	}
	w.content = line
	if !startsJSON(line) && bytes.IndexByte(line[:min(len(line), cap(scratch))], '\\') >= 0 {
		w.content = appendDecoded(scratch, line)
	}
	if i := bytes.LastIndex(raw[end:], []byte(dockerTime)); i >= 0 {
		w.millis = millisOf(raw[end+i+len(dockerTime):])
	}
	return true
}

// oddBackslashes reports whether p ends with a backslash that is not escaped itself.
func oddBackslashes(p []byte) bool {
	n := len(p)
	for n > 0 && p[n-1] == '\\' {
		n--
	}
	return (len(p)-n)%2 == 1
}

// appendDecoded appends the beginning of a string of JSON, within dst's capacity. Of escapes it decodes those that
// matter to how a trace looks.
func appendDecoded(dst, body []byte) []byte {
	for i := 0; i < len(body) && len(dst) < cap(dst); i++ {
		c := body[i]
		if c == '\\' && i+1 < len(body) {
			i++
			switch c = body[i]; c {
			case 't':
				c = '\t'
			case 'r':
				c = '\r'
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// millisOf returns the milliseconds of a time of day as in 2006-01-02T15:04:05.000Z, -1 when it is none.
func millisOf(stamp []byte) int {
	const clock = len("2006-01-02T")
	if len(stamp) < clock+len("15:04:05") {
		return -1
	}
	two := func(i int) int { return int(stamp[clock+i]-'0')*10 + int(stamp[clock+i+1]-'0') }
	millis := (two(0)*60+two(3))*60_000 + two(6)*1000
	for i, unit := clock+len("15:04:05."), 100; unit > 0 && i < len(stamp) && stamp[i]-'0' <= 9; i, unit = i+1, unit/10 {
		millis += int(stamp[i]-'0') * unit
	}
	return millis
}

// startsJSON reports whether a line begins like an object or an array of objects.
func startsJSON(line []byte) bool {
	for i, c := range line {
		switch c {
		case ' ', '\t':
		case '{':
			return true
		case '[':
			rest := bytes.TrimLeft(line[i+1:], " \t")
			return len(rest) > 0 && (rest[0] == '{' || rest[0] == ']')
		default:
			return false
		}
	}
	return false
}
