package parse

// Numbers beyond these limits become strings. Postgres would take exponents up to 131071, but then reads 30 stored
// bytes back as 128 KiB, and no client reads them as a float.
const (
	maxDigits   = 64
	minExponent = -324
	maxExponent = 308
)

// number scans the number that starts at p[i]; what follows it is the caller's business.
func (s *scanner) number(p []byte, i int) (end int, reason string) {
	if p[i] == '-' {
		i++
	}
	start := i
	i = digitsEnd(p, i)
	switch {
	case i == start && i == len(p):
		return i, badEnd
	case i == start, i > start+1 && p[start] == '0':
		return i, badNumber
	}
	digits := i - start
	if i < len(p) && p[i] == '.' {
		fraction := i + 1
		if i = digitsEnd(p, fraction); i == fraction {
			return i, missing(p, i)
		}
		digits += i - fraction
	}
	if digits > maxDigits {
		s.odd = true
	}
	if i < len(p) && p[i]|0x20 == 'e' {
		return s.exponent(p, i+1)
	}
	return i, ""
}

// exponent scans what follows the e.
func (s *scanner) exponent(p []byte, i int) (end int, reason string) {
	negative := i < len(p) && p[i] == '-'
	if negative || i < len(p) && p[i] == '+' {
		i++
	}
	start := i
	if i = digitsEnd(p, i); i == start {
		return i, missing(p, i)
	}
	exponent := 0
	for _, c := range p[start:i] {
		if exponent = exponent*10 + int(c-'0'); exponent > maxExponent-minExponent {
			break
		}
	}
	if exponent > maxExponent && !negative || -exponent < minExponent && negative {
		s.odd = true
	}
	return i, ""
}

// missing is the reason when a digit was due at p[i].
func missing(p []byte, i int) string {
	if i == len(p) {
		return badEnd
	}
	return badNumber
}

func digitsEnd(p []byte, i int) int {
	for i < len(p) && p[i]-'0' <= 9 {
		i++
	}
	return i
}
