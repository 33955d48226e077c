package parse

import (
	"strings"
	"time"
)

// parseNamed reads dates whose month is a name, which leaves no doubt about the order:
//
//	02/Jan/2006:15:04:05 -0700      access logs
//	Mon, 02 Jan 2006 15:04:05 GMT   RFC 1123
//	02 Jan 2006 15:04:05,000        log4j
//	Mon Jan  2 15:04:05 UTC 2006    date(1), and ANSI C without the zone
func parseNamed(s string, zone *time.Location) (micros int64, ok bool) {
	if len(s) > 4 && s[0] > '9' && (s[3] == ',' || s[3] == ' ') && monthOf(s) == 0 {
		s = strings.TrimLeft(s[4:], " ") // the day of the week
	}
	var d date
	if d.month = monthOf(s); d.month != 0 {
		return parseUnix(s[3:], d, zone)
	}
	if d.day, s = leadingDay(s); len(s) < len("/Jan/2006:15:04") || !strings.ContainsRune("/- ", rune(s[0])) {
		return 0, false
	}
	if d.month = monthOf(s[1:]); d.month == 0 || s[4] != s[0] {
		return 0, false
	}
	d.year = pairOf(s[5], s[6])*100 + pairOf(s[7], s[8])
	if s[9] != ':' && s[9] != ' ' {
		return 0, false
	}
	clock, rest, ok := parseClock(s[10:])
	if !ok || d.year < 0 || d.day < 1 || d.day > daysIn(d.year, d.month) {
		return 0, false
	}
	return inZone(d, clock, rest, zone)
}

// parseUnix reads what follows the month in the notation of date(1), where the year stands last.
func parseUnix(s string, d date, zone *time.Location) (micros int64, ok bool) {
	d.day, s = leadingDay(strings.TrimLeft(s, " "))
	clock, rest, ok := parseClock(strings.TrimLeft(s, " "))
	if !ok || len(rest) < 5 {
		return 0, false
	}
	cut := len(rest) - 4
	d.year = pairOf(rest[cut], rest[cut+1])*100 + pairOf(rest[cut+2], rest[cut+3])
	if rest[cut-1] != ' ' || d.year < 0 || d.day < 1 || d.day > daysIn(d.year, d.month) {
		return 0, false
	}
	return inZone(d, clock, rest[:cut-1], zone)
}

// leadingDay reads one or two digits.
func leadingDay(s string) (day int, rest string) {
	for len(s) > 0 && s[0]-'0' <= 9 && day < 10 {
		day = day*10 + int(s[0]-'0')
		s = s[1:]
	}
	return day, s
}

// monthOf returns the month that s starts with, 0 if none.
func monthOf(s string) int {
	if len(s) < 3 {
		return 0
	}
	i := strings.Index("JanFebMarAprMayJunJulAugSepOctNovDec", s[:3])
	if i < 0 || i%3 != 0 {
		return 0
	}
	return i/3 + 1
}
