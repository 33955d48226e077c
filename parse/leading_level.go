package parse

import "strings"

// levelOfText returns the level of a line of text whose stamp is st. What the program wrote goes before syslog's
// priority, which is the same for all that a program writes to a pipe.
func levelOfText(s string, st *stamp) string {
	if st.level != "" {
		return st.level
	}
	if name := levelBehind(s, st.end); name != "" {
		return name
	}
	if name := levelInText(s); name != "" {
		return name
	}
	return levelOfPriority(s)
}

// levelBehind returns the level that the word behind the stamp is, in small letters too: there it needs no capitals to
// be one. Monolog writes its channel before it: app.ERROR:.
func levelBehind(s string, end int) string {
	if end == 0 {
		return ""
	}
	for end < len(s) && strings.IndexByte("])>:,", s[end]) >= 0 {
		end++
	}
	start := skipFiller(s, end)
	end = start
	for end < len(s) && end-start < levelWithin && (wordByte(s[end]) || s[end] == '_') {
		end++
	}
	ends := " \t:|]\x1b\x00"
	if _, after := around(s, start, end); after == '.' {
		ends = ":"
		start, end = end+1, end+1
		for end < len(s) && s[end] >= 'A' && s[end] <= 'Z' {
			end++
		}
	}
	if _, after := around(s, start, end); end-start < 2 || strings.IndexByte(ends, after) < 0 {
		return ""
	}
	name, exact := level(s[start:end])
	if !exact && name != levelCritical {
		return ""
	}
	return name
}

// levelOfPriority reads syslog's <34>: eight times the facility, and the severity.
func levelOfPriority(s string) string {
	if s == "" || s[0] != '<' {
		return ""
	}
	priority, at := 0, 1
	for at < len(s) && s[at]-'0' <= 9 && at < len("<191") {
		priority = priority*10 + int(s[at]-'0')
		at++
	}
	if at == 1 || at == len(s) || s[at] != '>' || priority > 191 {
		return ""
	}
	const severities = "01234567"
	name, _ := numericLevel(severities[priority&7 : priority&7+1])
	return name
}
