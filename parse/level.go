package parse

// Levels as they are stored.
const (
	levelTrace    = "TRACE"
	levelDebug    = "DEBUG"
	levelInfo     = "INFO"
	levelWarn     = "WARN"
	levelError    = "ERROR"
	levelCritical = "CRITICAL"
)

// maxLevel is the longest word that can be a level.
const maxLevel = 11

// level returns the level that word stands for in any logger, "" if none. Not exact means that the word says more than
// the level does, so it should be kept too.
func level(word string) (name string, exact bool) {
	switch word { // as most loggers write it
	case levelInfo:
		return levelInfo, true
	case levelError:
		return levelError, true
	case "info":
		return levelInfo, true
	case "error":
		return levelError, true
	}
	if len(word) > maxLevel {
		return "", false
	}
	var buffer [maxLevel]byte
	upper := buffer[:len(word)]
	for i := range upper {
		c := word[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	switch string(upper) {
	case "INFO", "INFORMATION", "INF", "I":
		return levelInfo, true
	case "WARN", "WARNING", "WRN", "W":
		return levelWarn, true
	case "ERROR", "ERR", "EROR", "E":
		return levelError, true
	case "DEBUG", "DBG", "DBUG", "D":
		return levelDebug, true
	case "TRACE", "TRC", "VERBOSE", "FINEST":
		return levelTrace, true
	case "CRITICAL", "CRIT", "FATAL", "FTL", "F":
		return levelCritical, true
	case "FINER", "SILLY":
		return levelTrace, false
	case "FINE", "CONFIG":
		return levelDebug, false
	case "NOTICE", "HTTP":
		return levelInfo, false
	case "SEVERE", "FAIL":
		return levelError, false
	case "PANIC", "DPANIC", "ALERT", "EMERG", "EMERGENCY":
		return levelCritical, false
	}
	return stepped(word)
}

// stepped reads slog's levels between the named ones, INFO+2 or ERROR-1.
func stepped(word string) (name string, exact bool) {
	for i := 1; i < len(word)-1; i++ {
		if word[i] == '+' || word[i] == '-' {
			for _, c := range []byte(word[i+1:]) {
				if c-'0' > 9 {
					return "", false
				}
			}
			name, _ = level(word[:i])
			return name, false
		}
	}
	return "", false
}

// numericLevel reads the scales in use, which do not overlap: syslog and GELF 0 to 7 (most severe first), pino and
// bunyan 10 to 60, Monolog 100 to 600.
func numericLevel(text string) (name string, exact bool) {
	n := 0
	if len(text) == 0 || len(text) > 3 {
		return "", false
	}
	for _, c := range []byte(text) {
		if c-'0' > 9 {
			return "", false
		}
		n = n*10 + int(c-'0')
	}
	switch {
	case n < 8:
		syslog := [...]string{levelCritical, levelCritical, levelCritical, levelError, levelWarn, levelInfo, levelInfo, levelDebug}
		return syslog[n], n >= 2 && n != 5
	case n >= 10 && n < 70:
		pino := [...]string{levelTrace, levelDebug, levelInfo, levelWarn, levelError, levelCritical}
		return pino[n/10-1], n%10 == 0
	case n >= 100 && n <= 600:
		monolog := [...]string{levelDebug, levelInfo, levelWarn, levelError, levelCritical, levelCritical}
		return monolog[n/100-1], n%100 == 0 && n < 600
	}
	return "", false
}
