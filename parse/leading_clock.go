package parse

import "strings"

// clockAndZone reads 15:04, 15:04:05 or 15:04:05.000, and the zone if there is one. A clock of twelve hours is none.
func (st *stamp) clockAndZone(s string, at int) (end int) {
	end = at + len("15:04")
	if end > len(s) {
		return -1
	}
	if end+3 <= len(s) && s[end] == ':' && s[end+1]-'0' <= 9 {
		end += len(":05")
		if end+2 <= len(s) && (s[end] == '.' || s[end] == ',') && s[end+1]-'0' <= 9 {
			for end += 2; end < len(s) && s[end]-'0' <= 9; end++ {
			}
		}
	}
	var ok bool
	var rest string
	if st.clock, rest, ok = parseClock(s[at:end]); !ok || rest != "" {
		return -1
	}
	zone := end
	if end = zoneEnd(s, zone); end < 0 {
		return -1
	}
	st.zone = s[zone:end]
	if _, _, ok = parseZone(st.zone); !ok {
		return -1
	}
	return end
}

// zoneEnd returns where the zone ends that starts at s[at], at if none does. Behind a blank a number must have four
// digits to be one. It returns -1 where a half of the day stands.
func zoneEnd(s string, at int) int {
	rest := s[at:]
	blank := strings.HasPrefix(rest, " ")
	rest = strings.TrimPrefix(rest, " ")
	if rest == "" {
		return at
	}
	length := 0
	switch {
	case rest[0] == '+' || rest[0] == '-':
		if length = offsetLength(rest); blank && length < len("+0000") {
			return at
		}
	case rest[0] == 'Z' || rest[0] == 'z':
		if length = 1; blank {
			return at
		}
	case blank && len(rest) >= 3 && (rest[:3] == "UTC" || rest[:3] == "GMT"):
		length = 3
	case blank && len(rest) >= 2 && (rest[0] == 'A' || rest[0] == 'P') && rest[1] == 'M' && (len(rest) == 2 || !wordByte(rest[2])):
		return -1
	}
	if length == 0 || len(rest) > length && wordByte(rest[length]) {
		return at
	}
	return len(s) - len(rest) + length
}

// offsetLength returns the length of the ±hh, ±hhmm or ±hh:mm that s starts with, 0 if none.
func offsetLength(s string) int {
	digits := 1
	for digits < len(s) && s[digits]-'0' <= 9 {
		digits++
	}
	switch {
	case digits == 3 && len(s) >= 6 && s[3] == ':' && s[4]-'0' <= 9 && s[5]-'0' <= 9:
		return 6
	case digits == 3 || digits == 5:
		return digits
	}
	return 0
}

// endsStamp reports whether a stamp may end before s[at]: no word, number or fraction goes on there.
func endsStamp(s string, at int) bool {
	switch c := s[at]; c {
	case '.', '+', '-', '/', '_':
		return at+1 == len(s) || !wordByte(s[at+1])
	default:
		return !wordByte(c)
	}
}
