package parse

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	f := func(text, want string) {
		t.Helper()
		got, ok := parseTime(text, time.UTC)
		if want == "" {
			if ok {
				t.Errorf("%q: read as %v, want refusal", text, time.UnixMicro(got).UTC())
			}
			return
		}
		wanted, err := time.Parse(time.RFC3339Nano, want)
		if err != nil {
			t.Fatal(err)
		}
		if !ok || got != wanted.UnixMicro() {
			t.Errorf("%q: %v %v, want %s", text, time.UnixMicro(got).UTC().Format(time.RFC3339Nano), ok, want)
		}
	}
	const plain = "2026-01-15T08:00:01Z"
	f("2026-01-15T08:00:01Z", plain)
	f("2026-01-15T08:00:01", plain)
	f("2026-01-15 08:00:01", plain)
	f("2026-01-15t08:00:01z", plain)
	f("2026-01-15T08:00", "2026-01-15T08:00:00Z")
	f("2026/01/15 08:00:01", plain)
	f("2026-01-15T08:00:01 UTC", plain)
	f("2026-01-15T08:00:01+00:00", plain)
	f("2026-01-15T09:30:01+01:30", plain)
	f("2026-01-15T09:30:01+0130", plain)
	f("2026-01-15T05:00:01-03", plain)
	f("2026-01-15 08:00:01 +0000 UTC", plain)
	f("2026-01-15T09:00:01+01:00[Europe/Paris]", plain)
	f("2026-01-15T08:00:01Z[UTC]", plain)
	f("2026-01-15T08:00:01.5", "2026-01-15T08:00:01.5Z")
	f("2026-01-15 08:00:01,123", "2026-01-15T08:00:01.123Z")
	f("2026-01-15T08:00:01.123456789Z", "2026-01-15T08:00:01.123456Z")
	f("2026-01-15T08:00:01.1234567+01:00", "2026-01-15T07:00:01.123456Z")
	f("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z")
	f("2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z")
	f("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z")
	f("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z")
	f("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z")

	f("1768464001", plain)
	f("1768464001000", plain)
	f("1768464001000000", plain)
	f("1768464001000000000", plain)
	f("1768464001.25", "2026-01-15T08:00:01.25Z")
	f("1768464001.1234567", "2026-01-15T08:00:01.123456Z")
	f("1768464001000.5", "2026-01-15T08:00:01.0005Z")

	f("15/Jan/2026:08:00:01 +0000", plain)
	f("15/Jan/2026:10:00:01 +0200", plain)
	f("Thu, 15 Jan 2026 08:00:01 GMT", plain)
	f("Thu, 15 Jan 2026 09:00:01 +0100", plain)
	f("15 Jan 2026 08:00:01,500", "2026-01-15T08:00:01.5Z")
	f("5-Jan-2026 08:00:01", "2026-01-05T08:00:01Z")
	f("Thu Jan 15 08:00:01 2026", plain)
	f("Thu Jan  5 08:00:01 UTC 2026", "2026-01-05T08:00:01Z")
	f("Jan 15 08:00:01.25 2026", "2026-01-15T08:00:01.25Z")

	for _, refused := range []string{
		"", "infinity", "now", "tomorrow", "epoch", "-", "0", "12345678", "2026", "20260115", "2026-01-15", "12:00:00",
		"2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
		"2026-01-15T24:00:00Z", "2026-01-15T25:00:00Z", "2026-01-15T08:60:00Z", "2026-01-15T08:00:61Z",
		"2026-01-15T08:00:01.", "2026-01-15T08:00:01.Z", "2026-01-15T08:00:01 EST", "2026-01-15T08:00:01+1", "2026-01-15T08:00:01+25:00",
		"2026-01-15T08:00:01Zjunk", "2026-1-15T08:00:01Z", "2026-01/15T08:00:01Z", "01/02/2026 08:00:00", "01-02-2026 08:00:00",
		"15.01.2026 08:00:00", "Jan 15 08:00:01", "15 Foo 2026 08:00:01", "31/Feb/2026:08:00:01 +0000", "-1768464001",
		"1768464001x", "1768464001.", "1768464001.2.3", "99999999999999999999", "0x6968a101", "１７６８４６４００１",
	} {
		f(refused, "")
	}
}

func TestParseTimeInZone(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("", 9*3600)
	f := func(text, want string) {
		t.Helper()
		got, ok := parseTime(text, tokyo)
		if s := time.UnixMicro(got).UTC().Format(time.RFC3339Nano); !ok || s != want {
			t.Errorf("%q: %s %v, want %s", text, s, ok, want)
		}
	}
	f("2026-01-15T09:00:01.25", "2026-01-15T00:00:01.25Z")
	f("2026-01-15T09:00:01Z", "2026-01-15T09:00:01Z")
	f("15 Jan 2026 09:00:01", "2026-01-15T00:00:01Z")
	f("1768464001", "2026-01-15T08:00:01Z")
}

// The slow and right way is the standard library's.
func FuzzParseTime(f *testing.F) {
	f.Add(int64(1768464001123456))
	f.Add(int64(-62_167_219_200_000_000))
	f.Add(int64(951_782_400_000_000))
	f.Fuzz(func(t *testing.T, micros int64) {
		const year9999 = 253_402_300_799_999_999
		if micros < -62_167_219_200_000_000 || micros > year9999 {
			t.Skip("no year of four digits")
		}
		text := time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000000Z07:00")
		if got, ok := parseTime(text, nil); !ok || got != micros {
			t.Errorf("%s: %d %v, want %d", text, got, ok, micros)
		}
	})
}

func FuzzParseTimeText(f *testing.F) {
	f.Add("2026-01-15T08:00:01.5+01:00")
	f.Add("15/Jan/2026:08:00:01 +0000")
	f.Add("Thu Jan  5 08:00:01 UTC 2026")
	f.Add("1768464001.5")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseTime(text, nil)
		if want, err := time.Parse(time.RFC3339, text); err == nil && ok && got != want.UnixMicro() {
			t.Errorf("%q: %d, the standard library %d", text, got, want.UnixMicro())
		}
	})
}
