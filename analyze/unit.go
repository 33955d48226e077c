package analyze

import "strings"

// unit swallows the unit that follows a number as the next word: `5 KB`, `1 sec`. It returns the index after it, or i.
func (m *masker) unit(i int) int {
	j := i
	for classAt(m.s, j) == blank && j < len(m.s) {
		j++
	}
	if j == i {
		return i
	}
	start, x := j, load(m.padded, j)
	j += leadingLetters(x)
	for classAt(m.s, j)&(letter|slash) != 0 || j < len(m.s) && m.s[j] == '%' {
		j++
	}
	if start == j || !isUnit(m.s[start:j], x) || classAt(m.s, j)&(wide|digit|dash|underscore|at|backslash) != 0 {
		return i
	}
	return j
}

// units are those of time, size, rate or frequency, and what follows a time of day.
var units = setOf("ns us ms sec secs min mins hr hrs second seconds minute minutes hour hours day days week weeks " +
	"month months year years millis micros nanos " +
	"byte bytes bit bits kb mb gb tb pb kib mib gib tib pib kbyte kbytes mbyte mbytes gbyte gbytes " +
	"bps kbps mbps gbps b/s kb/s mb/s gb/s kib/s mib/s gib/s hz khz mhz ghz percent am pm utc gmt")

// isUnit reports whether w, which is not empty and whose first eight bytes are x, is a unit, in any case.
func isUnit(w string, x uint64) bool {
	switch {
	case len(w) == 1:
		return w == "s" || w == "m" || w == "h" || w == "d" || w == "B" || w == "%"
	case len(w) <= 8:
		return units.has(wordKey(x, len(w)))
	}
	for _, long := range [...]string{"nanoseconds", "microseconds", "milliseconds"} {
		if strings.EqualFold(w, long) || strings.EqualFold(w, long[:len(long)-1]) {
			return true
		}
	}
	return false
}

// isSuffix reports whether w, glued to a number, belongs to it although it is no unit by itself.
func isSuffix(w string) bool {
	switch w {
	case "k", "K", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "x", "X", "w", "y", "st", "nd", "rd", "th", "px":
		return true
	}
	return false
}
