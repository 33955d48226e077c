package analyze

import "strings"

// hexAddress returns the length of the IPv6 or hardware address that w begins with, with its zone and prefix length,
// or 0. `Foo::bar` is none.
func hexAddress(w string) int {
	n := addressRun(w)
	if !isHexAddress(w[:n]) {
		return 0
	}
	if n < len(w) && w[n] == '%' {
		n++
		if n < len(w) {
			n += nameLength(w[n:])
		}
	}
	if n < len(w) && w[n] == '/' && n+1 < len(w) && isDigit(w[n+1]) {
		n++
		n += digits(w[n:])
	}
	return n
}

// addressRun returns the length of the hex digits, colons and dots that w begins with, 0 if a word goes on after them.
func addressRun(w string) int {
	n := 0
	for n < len(w) && classes[w[n]]&(digit|hexLetter|colon|dot) != 0 {
		n++
	}
	if n < len(w) && classes[w[n]]&(otherLetter|wide|underscore|dash|sign) != 0 {
		return 0
	}
	for n > 0 && (w[n-1] == '.' || w[n-1] == ':' && !strings.HasSuffix(w[:n], "::")) {
		n--
	}
	return n
}

// isHexAddress reports whether s, hex digits, colons and dots, has the groups of an address.
func isHexAddress(s string) bool {
	groups, longest, pairs, run, hasDigit := 1, 0, true, 0, false
	for i := range len(s) {
		if s[i] == ':' {
			pairs = pairs && run == 2
			run = 0
			groups++
			continue
		}
		hasDigit = hasDigit || isDigit(s[i])
		if s[i] == '.' { // the last group may be an IPv4 address
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	if groups < 3 || groups > 9 || longest > 4 {
		return false
	}
	if strings.Contains(s, "::") {
		return hasDigit
	}
	return groups == 8 || groups == 7 && strings.Contains(s, ".") || groups == 6 && pairs && run == 2
}

// bracketedAddress recognises `[IPv6 address]` with or without a port at s[i] = '['. It returns the index after it.
func bracketedAddress(s string, i int) (end int, ok bool) {
	const longest = 64
	rest := s[i+1 : min(len(s), i+longest)]
	n := strings.IndexByte(rest, ']')
	if n < 3 || strings.IndexByte(rest[:n], ':') < 0 || hexAddress(rest[:n]) != n {
		return 0, false
	}
	end = i + n + 2
	if end+1 < len(s) && s[end] == ':' && isDigit(s[end+1]) {
		end++
		for end < len(s) && isDigit(s[end]) {
			end++
		}
	}
	return end, true
}
