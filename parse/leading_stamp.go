package parse

import (
	"strings"
	"time"
)

// A stamp is a time that stands in a text, taken apart. Its year is 0 where the notation has none.
type stamp struct {
	date
	clock      int64 // microseconds since midnight
	zone       string
	start, end int    // in the text; both 0 for no stamp
	level      string // that stands in the stamp itself, as klog writes it
}

// stampAt reads the stamp that starts at s[at], in one of these notations, and requires that it ends there:
//
//	2006-01-02T15:04:05.000Z07:00    with a blank for the T, slashes, a comma, or less of it
//	02/Jan/2006:15:04:05 -0700       with dashes or blanks
//	Mon, 02 Jan 2006 15:04:05 GMT
//	Mon Jan  2 15:04:05 UTC 2006     without the day of the week, the zone or the year, or the year behind the day
//	I0102 15:04:05.000000            klog, and with the year before the month glog
//
// It may read fewer of them than parseTime, which has a whole text to itself, but never differently.
func stampAt(s string, at int) (st stamp, ok bool) {
	const shortest = "Jan 2 15:04"
	if at+len(shortest) > len(s) {
		return st, false
	}
	st.start = at
	switch c := s[at]; {
	case c-'0' <= 9 && s[at+4] == '-' || c-'0' <= 9 && s[at+4] == '/':
		at = st.numeric(s, at)
	case c-'0' <= 9:
		at = st.dayFirst(s, at)
	case c < 'A' || c > 'Z':
		return st, false
	case s[at+1]-'0' <= 9:
		at = st.klog(s, at)
	default:
		if s[at+3] == ' ' && isWeekday(s[at:at+3]) || s[at+3] == ',' && isWeekday(s[at:at+3]) {
			for at += 4; at < len(s) && s[at] == ' '; at++ {
			}
		}
		if at < len(s) && s[at]-'0' <= 9 {
			at = st.dayFirst(s, at)
		} else {
			at = st.monthFirst(s, at)
		}
	}
	const leap = 4 // of a date without a year
	if at < 0 || at < len(s) && !endsStamp(s, at) || st.month < 1 || st.month > 12 || st.day < 1 ||
		st.day > daysIn(max(st.year, leap), st.month) {
		return stamp{}, false
	}
	st.end = at
	return st, true
}

// numeric reads 2006-01-02T15:04:05 and its variants.
func (st *stamp) numeric(s string, at int) (end int) {
	const upToClock = "2006-01-02T"
	if at+len(upToClock) > len(s) || s[at+7] != s[at+4] {
		return -1
	}
	if c := s[at+10]; c != 'T' && c != ' ' && c != 't' {
		return -1
	}
	st.year = yearOf(s[at:])
	st.month, st.day = pairOf(s[at+5], s[at+6]), pairOf(s[at+8], s[at+9])
	if st.year <= 0 {
		return -1
	}
	return st.clockAndZone(s, at+len(upToClock))
}

// dayFirst reads 02/Jan/2006:15:04:05 and its variants.
func (st *stamp) dayFirst(s string, at int) (end int) {
	var rest string
	st.day, rest = leadingDay(s[at:])
	if at = len(s) - len(rest); len(rest) < len("/Jan/2006:15:04") || strings.IndexByte("/- ", rest[0]) < 0 || rest[4] != rest[0] {
		return -1
	}
	if st.month, st.year = monthOf(rest[1:]), yearOf(rest[5:]); st.year <= 0 || rest[9] != ':' && rest[9] != ' ' {
		return -1
	}
	return st.clockAndZone(s, at+len("/Jan/2006:"))
}

// monthFirst reads Jan 2 15:04:05, with the year last, behind the day, or left out.
func (st *stamp) monthFirst(s string, at int) (end int) {
	if st.month = monthOf(s[at:]); st.month == 0 {
		return -1
	}
	if at += len("Jan"); at == len(s) || s[at] != ' ' {
		return -1
	}
	for ; at < len(s) && s[at] == ' '; at++ {
	}
	var rest string
	if st.day, rest = leadingDay(s[at:]); rest == "" || rest[0] != ' ' {
		return -1
	}
	at = len(s) - len(rest) + 1
	if len(rest) > len(" 2006 15:04") && rest[5] == ' ' {
		if st.year = yearOf(rest[1:]); st.year <= 0 {
			return -1
		}
		at += len("2006 ")
	}
	if end = st.clockAndZone(s, at); end > 0 && st.year == 0 && end+5 <= len(s) && s[end] == ' ' {
		if year := yearOf(s[end+1:]); year > 0 && (end+5 == len(s) || endsStamp(s, end+5)) {
			st.year = year
			end += len(" 2006")
		}
	}
	return end
}

// klog reads I0102 15:04:05.000000 and I20060102 15:04:05.000000.
func (st *stamp) klog(s string, at int) (end int) {
	if strings.IndexByte("IWEFD", s[at]) < 0 {
		return -1
	}
	st.level, _ = level(s[at : at+1])
	at++
	if s[at+4] != ' ' {
		if st.year = yearOf(s[at:]); st.year <= 0 {
			return -1
		}
		at += 4
	}
	const rest = "0102 15:04:05.0"
	if at+len(rest) > len(s) || s[at+4] != ' ' || s[at+13] != '.' {
		return -1
	}
	st.month, st.day = pairOf(s[at], s[at+1]), pairOf(s[at+2], s[at+3])
	return st.clockAndZone(s, at+len("0102 "))
}

func isWeekday(s string) bool {
	i := strings.Index("MonTueWedThuFriSatSun", s)
	return i >= 0 && i%3 == 0
}

// yearOf reads the four digits that s starts with; negative if they are none.
func yearOf(s string) int {
	if len(s) < 4 {
		return -1
	}
	return pairOf(s[0], s[1])*100 + pairOf(s[2], s[3])
}

// micros returns the stamp in microseconds since the epoch, in zone if it names none; nil is UTC. One without a year is
// in the last year in which it is not more than a day after reference. It is false if that year has no such day.
func (st *stamp) micros(zone *time.Location, reference int64) (t int64, ok bool) {
	if st.year != 0 {
		return inZone(st.date, st.clock, st.zone, zone)
	}
	d := st.date
	const mostBetweenLeapYears = 8
	latest := time.UnixMicro(reference+day).UTC().Year() + 1 // of the zone that is ahead
	for d.year = latest; d.year >= latest-mostBetweenLeapYears-1; d.year-- {
		if d.day > daysIn(d.year, d.month) {
			continue
		}
		if t, ok = inZone(d, st.clock, st.zone, zone); ok && t <= reference+day {
			return t, true
		}
	}
	return 0, false
}
