package analyze

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendString appends s, valid UTF-8 without U+0000, as a JSON string that jsonb accepts.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		if c < ' ' {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			b = append(b, '\\', c)
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// appendOptional appends s as a JSON string, null when it is empty.
func appendOptional(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

// head returns at most limit bytes of s, whole characters.
func head(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// appendMilliseconds appends a finite number, to the microsecond.
func appendMilliseconds(b []byte, ms float64) []byte {
	const exact = 1e12 // from there on thousandths are not what the number was written with
	if math.Abs(ms) >= exact {
		return strconv.AppendFloat(b, ms, 'g', -1, 64)
	}
	us := int64(math.Round(ms * 1000))
	if us < 0 {
		b, us = append(b, '-'), -us
	}
	b = strconv.AppendInt(b, us/1000, 10)
	if us %= 1000; us == 0 {
		return b
	}
	b = append(b, '.', byte('0'+us/100), byte('0'+us/10%10), byte('0'+us%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// appendTime appends a time in microseconds as ISO 8601 in UTC.
func appendTime(b []byte, t int64) []byte {
	return time.UnixMicro(t).UTC().AppendFormat(b, `"2006-01-02T15:04:05.000000Z"`)
}

// appendName appends a member's name and what goes before it, for members after the first.
func appendName(b []byte, name string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

// appendMember appends a member with a whole number.
func appendMember(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(appendName(b, name), n, 10)
}
