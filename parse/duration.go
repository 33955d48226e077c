package parse

import (
	"math"
	"strconv"
	"strings"
)

// A unit says what a bare number of a response time counts.
type unit uint8

const (
	_ unit = iota
	milliseconds
	seconds
	microseconds
	nanoseconds
	written // no telling: only texts like "1.2ms" count
)

// perUnit is how many milliseconds a unit has.
var perUnit = [...]float64{milliseconds: 1, seconds: 1e3, microseconds: 1e-3, nanoseconds: 1e-6}

// unitOf reads the unit of a configured name off its ending; without one it is milliseconds.
func unitOf(key string) unit {
	for _, s := range []struct {
		ending string
		unit   unit
	}{
		{"_ns", nanoseconds}, {"_nanos", nanoseconds}, {"_nanoseconds", nanoseconds}, {"Nanos", nanoseconds},
		{"_us", microseconds}, {"_micros", microseconds}, {"_microseconds", microseconds}, {"Micros", microseconds},
		{"_s", seconds}, {"_sec", seconds}, {"_secs", seconds}, {"_seconds", seconds}, {"Seconds", seconds},
	} {
		if strings.HasSuffix(key, s.ending) && !strings.HasSuffix(key, "Milliseconds") {
			return s.unit
		}
	}
	return milliseconds
}

// parseDuration returns text in milliseconds: a number of units, or numbers with units of their own as in "1.5s" and
// Go's "1m2.5s". It accepts what a response time can be: not negative, finite, in the range of a real.
func parseDuration(text string, u unit) (ms float64, ok bool) {
	if number, ok := parseNumber(text); ok {
		if u == written {
			return 0, false
		}
		return inRange(number * perUnit[u])
	}
	if text == "" {
		return 0, false
	}
	for text != "" {
		end := 0
		for end < len(text) && (text[end]-'0' <= 9 || text[end] == '.') {
			end++
		}
		number, ok := parseNumber(text[:end])
		if !ok {
			return 0, false
		}
		text = strings.TrimPrefix(text[end:], " ")
		factor, length := unitIn(text)
		if length == 0 {
			return 0, false
		}
		ms += number * factor
		text = text[length:]
	}
	return inRange(ms)
}

// unitIn returns how many milliseconds the unit that text starts with has, and its length.
func unitIn(text string) (factor float64, length int) {
	switch {
	case strings.HasPrefix(text, "ms"):
		return 1, 2
	case strings.HasPrefix(text, "µs"), strings.HasPrefix(text, "μs"):
		return 1e-3, 3
	case strings.HasPrefix(text, "us"):
		return 1e-3, 2
	case strings.HasPrefix(text, "ns"):
		return 1e-6, 2
	case strings.HasPrefix(text, "s"):
		return 1e3, 1
	case strings.HasPrefix(text, "m"):
		return 60e3, 1
	case strings.HasPrefix(text, "h"):
		return 3600e3, 1
	}
	return 0, 0
}

func inRange(ms float64) (float64, bool) { return ms, ms >= 0 && ms <= math.MaxFloat32 }

// parseNumber reads a decimal number. The usual ones are computed exactly without strconv: their digits fit a float's
// 53 bits and the power of ten is exact too.
func parseNumber(text string) (f float64, ok bool) {
	var mantissa uint64
	digits, point := 0, -1
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c-'0' <= 9:
			mantissa = mantissa*10 + uint64(c-'0')
			digits++
		case c == '.' && point < 0:
			point = i
		default:
			return parseRareNumber(text)
		}
	}
	if digits == 0 {
		return 0, false
	}
	if digits > 15 {
		return parseRareNumber(text)
	}
	if point < 0 {
		return float64(mantissa), true
	}
	return float64(mantissa) / tens[len(text)-1-point], true
}

var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// parseRareNumber reads signs, exponents and long numbers; nothing that is no number in JSON.
func parseRareNumber(text string) (f float64, ok bool) {
	if text == "" || text[0] == '+' || strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, false // an error of strconv would cost an allocation; and it takes 0x1p3 and Inf
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}
