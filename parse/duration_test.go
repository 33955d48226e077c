package parse

import (
	"math"
	"testing"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	f := func(text string, u unit, want float64) {
		t.Helper()
		got, ok := parseDuration(text, u)
		if ok != (want >= 0) || ok && math.Abs(got-want) > want*1e-12 {
			t.Errorf("%q: %v %v, want %v", text, got, ok, want)
		}
	}
	const refused = -1
	f("12", milliseconds, 12)
	f("12.5", milliseconds, 12.5)
	f("0.123", seconds, 123)
	f("1500", microseconds, 1.5)
	f("1500000", nanoseconds, 1.5)
	f("1e2", milliseconds, 100)
	f("0", milliseconds, 0)
	f("12345678901234567890", nanoseconds, 12345678901234.567)
	f("0.1234567890123456789", seconds, 123.4567890123456789)
	f("1.5ms", written, 1.5)
	f("1.5 ms", written, 1.5)
	f("250µs", written, 0.25)
	f("250us", milliseconds, 0.25)
	f("250ns", written, 0.00025)
	f("0.123s", written, 123)
	f("1m2.5s", written, 62500)
	f("1h0m0s", written, 3600e3)
	f("12", written, refused)
	f("", milliseconds, refused)
	f("-", milliseconds, refused)
	f("-1", milliseconds, refused)
	f("-1ms", milliseconds, refused)
	f("1e39", milliseconds, refused)
	f("NaN", milliseconds, refused)
	f("Inf", milliseconds, refused)
	f("0x10", milliseconds, refused)
	f("1_000", milliseconds, refused)
	f("1.2.3", milliseconds, refused)
	f("ms", written, refused)
	f("1.5 days", written, refused)
	f("fast", milliseconds, refused)
}

func TestParseNumberIsExact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		"0.1": 0.1, "123.45": 123.45, "999999999999999": 999999999999999, "0.000000000000001": 0.000000000000001,
		"9007199254740993": 9007199254740993, "1.7976931348623157e308": math.MaxFloat64, ".5": .5, "5.": 5,
	} {
		if got, ok := parseNumber(text); !ok || got != want {
			t.Errorf("%s: %v %v", text, got, ok)
		}
	}
}
