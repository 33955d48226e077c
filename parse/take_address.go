package parse

import (
	"net/netip"
	"strings"

	"logflume/pipeline"
)

// takeClientIP accepts an address, alone or with a port, or the first of a list (X-Forwarded-For).
func (p *parser) takeClientIP(e *pipeline.Event, value []byte, escaped bool) outcome {
	if value[0] != '"' {
		return unusable
	}
	s, _ := p.text(value, escaped)
	plain := plainAddress(s)
	a, ok := parseAddress(plain)
	if !ok {
		return unusable
	}
	e.ClientIP = a.Unmap().WithZone("") // inet knows neither
	if len(plain) < len(s) || e.ClientIP != a {
		return copied
	}
	return taken
}

// parseAddress reads an address that stands alone.
func parseAddress(s string) (a netip.Addr, ok bool) {
	if s == "" || s[0] != ':' && (s[0]|0x20 < 'a' || s[0]|0x20 > 'f') && s[0]-'0' > 9 {
		return a, false // "-" and "unknown" are frequent, and netip's errors cost an allocation
	}
	a, err := netip.ParseAddr(s)
	return a, err == nil
}

// plainAddress cuts away what is around the first address in s.
func plainAddress(s string) string {
	if i := strings.IndexByte(s, ','); i >= 0 {
		s = s[:i]
	}
	s = strings.Trim(s, " ")
	if strings.HasPrefix(s, "[") {
		if i := strings.IndexByte(s, ']'); i > 0 {
			return s[1:i]
		}
		return s
	}
	if i := strings.IndexByte(s, ':'); i > 0 && strings.LastIndexByte(s, ':') == i {
		return s[:i] // one colon only: IPv4 with a port
	}
	return s
}
