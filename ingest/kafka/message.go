package kafka

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"

	"logflume/pipeline"
)

// What is kept of a message's key and headers for attrs, in bytes. The rest is cut off.
const (
	maxKey     = 1 << 10
	maxName    = 256
	maxHeader  = 4 << 10
	maxHeaders = 16 << 10 // of all together, as JSON
)

// A message is scratch memory for one record on its way into a batch.
type message struct {
	topic     string
	partition int32
	offset    int64
	time      int64 // microseconds

	key     []byte
	name    []byte
	value   []byte // of a header
	headers []byte // members of a JSON object

	arena, lines int // of the batch, before this message
	bytes        int64
}

// read adds the record whose key comes next in in to b: its value as a line, the rest as the line's envelope.
func (m *message) read(in *records, b *pipeline.Batch, o *Options) {
	m.arena, m.lines, m.bytes = len(b.Arena), len(b.Lines), b.Bytes

	keep := 0
	if o.Attrs {
		keep = maxKey
	}
	n := in.varint()
	hasKey := n >= 0
	m.key = in.take(m.key[:0], length(n), keep)
	b.Bytes += max(n, 0)

	n = in.varint() // a tombstone has none: an empty line, of which no event comes
	b.Bytes += max(n, 0)
	line := pipeline.Line{Offset: m.offset, Start: m.arena, Length: max(n, 0)}
	keep = length(n)
	if keep > o.LineLimit {
		keep = min(o.LineLimit, pipeline.MaxDeadLetter)
	}
	b.Arena = in.take(b.Arena, length(n), keep)
	if line.Length == int64(keep) { // whole: without the terminator that some producers leave
		line.Length = int64(len(bytes.TrimRight(b.Arena[m.arena:], "\r\n")))
		b.Arena = b.Arena[:m.arena+int(line.Length)]
	}
	line.End = len(b.Arena)

	envelope := pipeline.Envelope{Time: m.time}
	m.headers = m.headers[:0]
	for count := in.varint(); count > 0 && in.err == nil; count-- {
		m.readHeader(in, b, &envelope, o.Attrs)
	}
	if o.Attrs {
		envelope.Attrs.Start = int32(len(b.Arena))
		b.Arena = m.appendAttrs(b.Arena, hasKey)
		envelope.Attrs.End = int32(len(b.Arena))
	}
	b.Lines = append(b.Lines, line)
	b.Envelopes = append(b.Envelopes, envelope)
}

// length makes a length of a nullable field: null has none.
func length(n int64) int { return int(max(n, 0)) }

// undo takes the message out again.
func (m *message) undo(b *pipeline.Batch) {
	b.Arena, b.Lines, b.Envelopes, b.Bytes = b.Arena[:m.arena], b.Lines[:m.lines], b.Envelopes[:m.lines], m.bytes
}

func (m *message) readHeader(in *records, b *pipeline.Batch, envelope *pipeline.Envelope, attrs bool) {
	m.name = in.take(m.name[:0], length(in.varint()), maxName)
	m.value = in.take(m.value[:0], length(in.varint()), maxHeader)
	if in.err != nil {
		return
	}
	if strings.EqualFold(pipeline.String(m.name), "traceparent") {
		if id := traceID(m.value); id != nil {
			envelope.TraceID.Start = int32(len(b.Arena))
			b.Arena = append(b.Arena, id...)
			envelope.TraceID.End = int32(len(b.Arena))
		}
	}
	if attrs && len(m.headers) < maxHeaders {
		if len(m.headers) > 0 {
			m.headers = append(m.headers, ',')
		}
		m.headers = appendText(append(appendText(m.headers, m.name), ':'), m.value)
	}
}

// traceID returns the trace id of a W3C traceparent, version-traceid-parentid-flags in hexadecimal, or nil.
func traceID(header []byte) []byte {
	const size = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if len(header) < size || header[2] != '-' || header[35] != '-' || header[52] != '-' {
		return nil
	}
	id := header[3:35]
	zero := true
	for _, c := range id {
		if c-'0' > 9 && c-'a' > 5 {
			return nil
		}
		zero = zero && c == '0'
	}
	if zero {
		return nil
	}
	return id
}

// appendAttrs writes the member of attrs that tells where the message was.
func (m *message) appendAttrs(p []byte, hasKey bool) []byte {
	p = append(appendText(append(p, `"kafka":{"topic":`...), []byte(m.topic)), `,"partition":`...)
	p = append(strconv.AppendInt(p, int64(m.partition), 10), `,"offset":`...)
	p = append(strconv.AppendInt(p, m.offset, 10), `,"timestamp":`...)
	p = strconv.AppendInt(p, m.time/1000, 10)
	switch {
	case !hasKey:
	case utf8.Valid(m.key):
		p = appendText(append(p, `,"key":`...), m.key)
	default:
		p = append(p, `,"key_base64":"`...)
		p = append(base64.StdEncoding.AppendEncode(p, m.key), '"')
	}
	if len(m.headers) > 0 {
		p = append(append(append(p, `,"headers":{`...), m.headers...), '}')
	}
	return append(p, '}')
}

// appendText writes a JSON string that jsonb takes: what is no UTF-8, and U+0000, becomes U+FFFD.
func appendText(p, text []byte) []byte {
	const hexadecimal = "0123456789abcdef"
	p = append(p, '"')
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == '"' || r == '\\':
			p = append(p, '\\', byte(r))
		case r == 0:
			p = utf8.AppendRune(p, utf8.RuneError)
		case r < ' ':
			p = append(p, '\\', 'u', '0', '0', hexadecimal[r>>4], hexadecimal[r&15])
		default:
			p = utf8.AppendRune(p, r)
		}
		text = text[size:]
	}
	return append(p, '"')
}
