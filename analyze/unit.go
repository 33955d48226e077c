package analyze

// unit swallows the unit that follows a number as the next word: `5 KB`, `1 sec`. It returns the index after it, or i.
func (m *masker) unit(i int) int {
	j := i
	for j < len(m.s) && classes[m.s[j]] == blank {
		j++
	}
	start := j
	for j < len(m.s) && (classes[m.s[j]]&(letter|slash) != 0 || m.s[j] == '%') {
		j++
	}
	if start == i || !isUnit(m.s[start:j]) {
		return i
	}
	if j < len(m.s) && classes[m.s[j]]&(wide|digit|dash|underscore|at|backslash) != 0 {
		return i
	}
	return j
}

// isUnit reports whether w is a unit of time, size, rate or frequency, or what follows a time of day.
func isUnit(w string) bool {
	var low [12]byte
	if len(w) == 0 || len(w) > len(low) {
		return false
	}
	for i := range len(w) {
		low[i] = w[i]
		if classes[w[i]]&letter != 0 {
			low[i] |= 0x20
		}
	}
	switch string(low[:len(w)]) {
	case "ns", "us", "ms", "sec", "secs", "min", "mins", "hr", "hrs",
		"nanosecond", "nanoseconds", "microsecond", "milliseconds", "millisecond", "microseconds",
		"second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks", "month", "months",
		"year", "years", "millis", "micros", "nanos":
		return true
	case "byte", "bytes", "bit", "bits", "kb", "mb", "gb", "tb", "pb", "kib", "mib", "gib", "tib", "pib",
		"kbyte", "kbytes", "mbyte", "mbytes", "gbyte", "gbytes":
		return true
	case "bps", "kbps", "mbps", "gbps", "b/s", "kb/s", "mb/s", "gb/s", "kib/s", "mib/s", "gib/s", "hz", "khz", "mhz", "ghz",
		"%", "percent", "am", "pm", "utc", "gmt":
		return true
	case "s", "m", "h", "d", "b":
		return w[0] != 'S' && w[0] != 'M' && w[0] != 'H' && w[0] != 'D' && w[0] != 'b'
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
