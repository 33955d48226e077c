package postgres

import (
	"encoding/binary"
	"math"
	"net/netip"
)

// The binary COPY format: https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4
var (
	copyHeader  = []byte("PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00") // signature, flags, extension
	copyTrailer = []byte{0xff, 0xff}
)

const (
	postgresEpoch = 946_684_800_000_000 // 2000-01-01 in Unix microseconds

	jsonbVersion = 1
	familyIPv4   = 2
	familyIPv6   = 3
)

func appendColumns(p []byte, n int) []byte { return binary.BigEndian.AppendUint16(p, uint16(n)) }

func appendLength(p []byte, n int) []byte { return binary.BigEndian.AppendUint32(p, uint32(n)) }

func appendNull(p []byte) []byte { return append(p, 0xff, 0xff, 0xff, 0xff) }

func appendInt64(p []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(appendLength(p, 8), uint64(v))
}

func appendInt32(p []byte, v int32) []byte {
	return binary.BigEndian.AppendUint32(appendLength(p, 4), uint32(v))
}

func appendInt16(p []byte, v int16) []byte {
	return binary.BigEndian.AppendUint16(appendLength(p, 2), uint16(v))
}

func appendBool(p []byte, v bool) []byte {
	if v {
		return append(p, 0, 0, 0, 1, 1)
	}
	return append(p, 0, 0, 0, 1, 0)
}

// appendTime appends a timestamptz.
func appendTime(p []byte, micros int64) []byte { return appendInt64(p, micros-postgresEpoch) }

// appendReal appends a real, NULL when v is no finite number of that type.
func appendReal(p []byte, v float64) []byte {
	f := float32(v)
	if math.IsNaN(v) || math.IsInf(float64(f), 0) {
		return appendNull(p)
	}
	return binary.BigEndian.AppendUint32(appendLength(p, 4), math.Float32bits(f))
}

func appendText(p []byte, s string) []byte { return append(appendLength(p, len(s)), s...) }

// appendOptional appends a text, NULL when it is empty.
func appendOptional(p []byte, s string) []byte {
	if s == "" {
		return appendNull(p)
	}
	return appendText(p, s)
}

func appendBytes(p, v []byte) []byte { return append(appendLength(p, len(v)), v...) }

// appendInet appends an inet, NULL when a is the zero Addr. A zone is left out, inet has none.
func appendInet(p []byte, a netip.Addr) []byte {
	switch {
	case a.Is4():
		v := a.As4()
		p = append(p, 0, 0, 0, 8, familyIPv4, 32, 0, 4)
		return append(p, v[:]...)
	case a.Is6():
		v := a.As16()
		p = append(p, 0, 0, 0, 20, familyIPv6, 128, 0, 16)
		return append(p, v[:]...)
	}
	return appendNull(p)
}

// appendJSON appends a jsonb from its text, or from fallback when there is none.
func appendJSON(p, text []byte, fallback string) []byte {
	if len(text) == 0 {
		p = append(appendLength(p, len(fallback)+1), jsonbVersion)
		return append(p, fallback...)
	}
	p = append(appendLength(p, len(text)+1), jsonbVersion)
	return append(p, text...)
}

// appendObject appends a jsonb: the object, or {} when there is none, with further members put before its closing
// brace. Of two members with one name Postgres keeps the later, so the further ones win.
func appendObject(p, object []byte, members string) []byte {
	if members == "" {
		return appendJSON(p, object, "{}")
	}
	body := trimSpaceRight(object)
	if len(body) < 2 {
		body = []byte("{}")
	}
	body = trimSpaceRight(body[:len(body)-1])
	comma := body[len(body)-1] != '{'

	length := 1 + len(body) + len(members) + 1
	if comma {
		length++
	}
	p = append(appendLength(p, length), jsonbVersion)
	p = append(p, body...)
	if comma {
		p = append(p, ',')
	}
	p = append(p, members...)
	return append(p, '}')
}

func trimSpaceRight(p []byte) []byte {
	for len(p) > 0 && (p[len(p)-1] == ' ' || p[len(p)-1] == '\t' || p[len(p)-1] == '\r' || p[len(p)-1] == '\n') {
		p = p[:len(p)-1]
	}
	return p
}
