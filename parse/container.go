package parse

import (
	"bytes"

	"logflume/pipeline"
)

// Container runtimes put each line that a program writes into a line of their own:
//
//	docker's json-file  {"log":"what was written\n","stream":"stdout","time":"2026-01-20T12:00:00.123456789Z"}
//	CRI                 2026-01-20T12:00:00.123456789Z stdout F what was written
//
// What they cut, at 16 KiB, lacks the newline in the one and has the tag P in the other.

// A wrapping is what a runtime says around a piece of a line.
type wrapping struct {
	content []byte // what the program wrote, without its newline
	escaped bool   // content is the body of a string of JSON
	partial bool   // the line goes on in the next piece
	stream  string // stdout or stderr
	time    int64
	labels  []byte // docker's attrs, an object; nil when there are none
}

const (
	stdout = "stdout"
	stderr = "stderr"
)

// unwrap reports whether raw is a piece of a line as a runtime writes it, and takes it apart. Lines that only look like
// one are what they look like.
func (p *parser) unwrap(raw []byte) (w wrapping, ok bool) {
	switch p.Format {
	case Auto:
		if raw[0] == '{' {
			return p.unwrapDocker(raw)
		}
		return p.unwrapCRI(raw)
	case Docker:
		return p.unwrapDocker(raw)
	case CRI:
		return p.unwrapCRI(raw)
	}
	return w, false
}

// unwrapCRI reads TIME STREAM TAGS CONTENT. Tags are separated by colons; the first is P or F.
func (p *parser) unwrapCRI(raw []byte) (w wrapping, ok bool) {
	const date = "2006-01-02T"
	if len(raw) < len(date) || raw[0]-'0' > 9 || raw[4] != '-' || raw[10] != 'T' {
		return w, false
	}
	end := bytes.IndexByte(raw, ' ')
	if end < 0 {
		return w, false
	}
	rest := raw[end+1:]
	switch {
	case bytes.HasPrefix(rest, []byte(stdout+" ")):
		w.stream = stdout
	case bytes.HasPrefix(rest, []byte(stderr+" ")):
		w.stream = stderr
	default:
		return w, false
	}
	rest = rest[len(stdout)+1:]
	if len(rest) == 0 || rest[0] != 'P' && rest[0] != 'F' {
		return w, false
	}
	w.partial = rest[0] == 'P'
	switch rest = rest[1:]; {
	case len(rest) == 0: // a blank at the end was trimmed
	case rest[0] == ' ':
		w.content = rest[1:]
	case rest[0] == ':':
		if tags := bytes.IndexByte(rest, ' '); tags >= 0 {
			w.content = rest[tags+1:]
		}
	default:
		return w, false
	}
	w.time, ok = parseTime(pipeline.String(raw[:end]), nil)
	return w, ok
}

// unwrapDocker reads an object as docker writes it: these members in this order, without blanks.
func (p *parser) unwrapDocker(raw []byte) (w wrapping, ok bool) {
	const start = `{"log":"`
	if len(raw) < len(start) || string(raw[:len(start)]) != start {
		return w, false
	}
	end, what := stringEnd(raw, len(start))
	if what >= broken {
		return w, false
	}
	w.content = raw[len(start):end]
	rest, found := bytes.CutPrefix(raw[end+1:], []byte(`,"stream":"std`))
	switch {
	case found && bytes.HasPrefix(rest, []byte(`out"`)):
		w.stream = stdout
	case found && bytes.HasPrefix(rest, []byte(`err"`)):
		w.stream = stderr
	default:
		return w, false
	}
	rest = rest[len(`out"`):]
	if labels, found := bytes.CutPrefix(rest, []byte(`,"attrs":`)); found && len(labels) > 0 && labels[0] == '{' {
		end, reason := p.repair.scan.object(labels, 0)
		if reason != "" {
			return w, false
		}
		w.labels, rest = labels[:end], labels[end:]
	}
	rest, found = bytes.CutPrefix(rest, []byte(`,"time":"`))
	when, tail, closed := bytes.Cut(rest, []byte(`"`))
	if !found || !closed || len(bytes.TrimRight(tail, " \r")) != 1 || tail[0] != '}' {
		return w, false
	}
	if w.time, ok = parseTime(pipeline.String(when), nil); !ok {
		return w, false
	}
	w.partial = !bytes.HasSuffix(w.content, []byte(`\n`)) || endsEscaped(w.content)
	if !w.partial {
		w.content = w.content[:len(w.content)-len(`\n`)]
	}
	w.escaped = what&escaped != 0 && bytes.IndexByte(w.content, '\\') >= 0
	if what&odd != 0 {
		p.changed = true
	}
	return w, true
}

// endsEscaped reports whether the backslash before the last byte is itself escaped.
func endsEscaped(body []byte) bool {
	n := 0
	for i := len(body) - 2; i >= 0 && body[i] == '\\'; i-- {
		n++
	}
	return n%2 == 0
}

// appendTo appends the content as the program wrote it.
func (w *wrapping) appendTo(dst []byte) []byte {
	if w.escaped {
		return unescape(dst, w.content)
	}
	return append(dst, w.content...)
}

// parseWrapped parses line i, whose first piece is w, with the pieces joined to it.
func (p *parser) parseWrapped(i int, w wrapping) (reason string) {
	b := p.batch
	p.wrapped, p.wrapper = true, w
	p.origin.of(b.Path)
	content := w.content
	if w.escaped || b.Lines[i].Next != 0 {
		start := len(b.Text)
		b.Text = w.appendTo(b.Text)
		for b.Lines[i].Next != 0 {
			i += int(b.Lines[i].Next)
			if !w.partial {
				b.Text = append(b.Text, '\n')
			}
			raw := b.Raw(i)
			var ok bool
			if w, ok = p.unwrap(raw); !ok {
				w = wrapping{content: raw}
			}
			b.Text = w.appendTo(b.Text)
		}
		content = b.Text[start:len(b.Text):len(b.Text)]
	}
	return p.parseContent(Auto, content)
}

// takeWrapperTime gives an event that has no time of its own the runtime's.
func (p *parser) takeWrapperTime(e *pipeline.Event) {
	if !p.setTime(e, p.wrapper.time) {
		p.tally.retimed++
	}
}

// appendWrapper appends what the runtime said, and where the file lies, as members of attrs. What the line itself says
// under the same key stands.
func (p *parser) appendWrapper(out, object []byte) []byte {
	out = p.appendMember(out, object, "stream", p.wrapper.stream)
	for _, a := range p.origin.attributes {
		out = p.appendMember(out, object, a.key, a.value)
	}
	if p.wrapper.labels == nil || p.hasMember(object, "attrs") {
		return out
	}
	out = append(out, `"attrs":`...)
	return append(p.repair.object(out, p.wrapper.labels), ',')
}

// appendMember appends a member whose value needs no escapes.
func (p *parser) appendMember(out, object []byte, key, value string) []byte {
	if p.hasMember(object, key) {
		return out
	}
	out = append(append(append(out, '"'), key...), `":"`...)
	return append(append(out, value...), `",`...)
}

// hasMember reports whether attrs get a member of that key from the line.
func (p *parser) hasMember(object []byte, key string) bool {
	if object == nil {
		return false
	}
	for i := range p.scan.members {
		if m := &p.scan.members[i]; !m.gone && string(m.key(object)) == key {
			return true
		}
	}
	return false
}
