package parse

import (
	"strings"
	"time"
)

// Times are microseconds since the Unix epoch; finer digits are cut off.

const (
	second = 1_000_000
	day    = 86_400 * second

	earliest = 946_684_800 * second // 2000-01-01; what claims to be older is a clock that was never set
)

// parseTime reads the notations of loggers: RFC 3339 and what is near it (a blank for the T, a comma for the point,
// zone left out or without a colon, slashes), dates with the month's name (access logs, RFC 1123, date(1)), and seconds,
// milliseconds, microseconds or nanoseconds since the epoch. Times without a zone are read in zone; nil is UTC.
// It refuses what has two readings: months and days in unknown order, zones by letters, a missing year.
func parseTime(text string, zone *time.Location) (micros int64, ok bool) {
	if micros, ok = parseStamp(text, zone); ok {
		return micros, true
	}
	if len(text) == 0 {
		return 0, false
	}
	if micros, ok = parseEpoch(text); ok {
		return micros, true
	}
	return parseNamed(text, zone)
}

// parseStamp reads YYYY-MM-DDThh:mm:ss and its variants.
func parseStamp(s string, zone *time.Location) (micros int64, ok bool) {
	if len(s) < len("2006-01-02T15:04") || s[4] != s[7] || s[4] != '-' && s[4] != '/' {
		return 0, false
	}
	if c := s[10]; c != 'T' && c != ' ' && c != 't' {
		return 0, false
	}
	year := pairOf(s[0], s[1])*100 + pairOf(s[2], s[3])
	month, dayOfMonth := pairOf(s[5], s[6]), pairOf(s[8], s[9])
	clock, rest, ok := parseClock(s[11:])
	if !ok || year < 0 || month < 1 || month > 12 || dayOfMonth < 1 || dayOfMonth > daysIn(year, month) {
		return 0, false
	}
	return inZone(date{year, month, dayOfMonth}, clock, rest, zone)
}

// A date is a day of the calendar.
type date struct{ year, month, day int }

// inZone joins a date, the microseconds since its midnight, and the text of a zone.
func inZone(d date, clock int64, text string, zone *time.Location) (micros int64, ok bool) {
	micros = daysSinceEpoch(d)*day + clock
	offset, named, ok := parseZone(text)
	switch {
	case !ok:
		return 0, false
	case named || zone == nil || zone == time.UTC:
		return micros - offset, true
	}
	s := clock / second
	t := time.Date(d.year, time.Month(d.month), d.day, 0, 0, int(s), 0, zone)
	return t.Unix()*second + clock%second, true
}

// parseClock reads hh:mm, hh:mm:ss or hh:mm:ss.fraction, and returns what follows. 23:59:60 is the next midnight.
func parseClock(s string) (micros int64, rest string, ok bool) {
	if len(s) < 5 || s[2] != ':' {
		return 0, "", false
	}
	hour, minute, sec := pairOf(s[0], s[1]), pairOf(s[3], s[4]), 0
	rest = s[5:]
	if len(rest) >= 3 && rest[0] == ':' {
		sec = pairOf(rest[1], rest[2])
		rest = rest[3:]
	}
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || sec < 0 || sec > 60 {
		return 0, "", false
	}
	micros = int64(hour*3600+minute*60+sec) * second
	if len(rest) >= 2 && (rest[0] == '.' || rest[0] == ',') {
		fraction, n := int64(0), 1
		for scale := int64(second / 10); n < len(rest) && rest[n]-'0' <= 9; n++ {
			fraction += int64(rest[n]-'0') * scale
			scale /= 10
		}
		if n == 1 {
			return 0, "", false
		}
		micros += fraction
		rest = rest[n:]
	}
	return micros, rest, true
}

// parseZone reads Z, UTC, GMT, ±hh, ±hhmm or ±hh:mm, perhaps after a blank. Nothing at all is a zone left out. Java
// adds a region in brackets and Go's Time.String a name and a clock reading; the offset before them says it all.
func parseZone(s string) (offset int64, named, ok bool) {
	s = strings.TrimPrefix(s, " ")
	switch s {
	case "":
		return 0, false, true
	case "Z", "z", "UTC", "GMT":
		return 0, true, true
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return 0, false, s == "Z[UTC]"
	}
	hours, minutes := pairOf(s[1], s[2]), 0
	rest := s[3:]
	if digits := strings.TrimPrefix(rest, ":"); len(digits) >= 2 && digits[0]-'0' <= 9 {
		minutes = pairOf(digits[0], digits[1])
		rest = digits[2:]
	}
	if hours < 0 || hours > 18 || minutes < 0 || minutes > 59 || rest != "" && rest[0] != ' ' && rest[0] != '[' {
		return 0, false, false
	}
	offset = int64(hours*3600+minutes*60) * second
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true, true
}

// parseEpoch reads a time as a number. Its size tells the unit: each unit's numbers for the years 1973 to 5138 are apart.
func parseEpoch(s string) (micros int64, ok bool) {
	digits := 0
	var whole int64
	for digits < len(s) && s[digits]-'0' <= 9 && digits < 19 {
		whole = whole*10 + int64(s[digits]-'0')
		digits++
	}
	unit := int64(second) // in microseconds, or below them in nanoseconds
	switch {
	case digits < 9:
		return 0, false
	case digits > 17:
		micros = whole / 1000
		unit = 0
	case digits > 14:
		micros = whole
		unit = 1
	case digits > 11:
		micros = whole * 1000
		unit = 1000
	default:
		micros = whole * second
	}
	switch rest := s[digits:]; {
	case rest == "":
		return micros, true
	case rest[0] != '.' || len(rest) == 1:
		return 0, false
	default:
		for _, c := range []byte(rest[1:]) {
			if c-'0' > 9 {
				return 0, false
			}
			unit /= 10
			micros += int64(c-'0') * unit
		}
		return micros, true
	}
}

// pairOf reads two digits; negative if they are none.
func pairOf(a, b byte) int {
	a -= '0'
	b -= '0'
	if a > 9 || b > 9 {
		return -10_000
	}
	return int(a)*10 + int(b)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSinceEpoch counts the days from 1970-01-01, by Howard Hinnant's days_from_civil for years from 0 on.
func daysSinceEpoch(d date) int64 {
	y, m := d.year, d.month
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	if y < 0 {
		era = -1
	}
	yearOfEra := y - era*400
	dayOfYear := (153*(m-3)+2)/5 + d.day - 1
	return int64(era*146097+yearOfEra*365+yearOfEra/4-yearOfEra/100+dayOfYear) - 719468
}
