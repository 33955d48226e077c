package parse

import (
	"strings"

	"logflume/pipeline"
)

// takeEndpoint sets the route, and keeps the path where it says more.
func (p *parser) takeEndpoint(e *pipeline.Event, value []byte, escaped bool) outcome {
	if value[0] != '"' {
		return unusable
	}
	s, _ := p.text(value, escaped)
	var r string
	p.batch.Text, r = route(p.batch.Text, s)
	e.Endpoint = cut(r, maxEndpoint)
	if len(e.Endpoint) == len(s) && e.Endpoint == s {
		return taken
	}
	return copied
}

// takeMethod accepts HTTP's methods, in capitals or not: under this key there may also be the name of a function.
func (p *parser) takeMethod(e *pipeline.Event, value []byte, escaped bool) outcome {
	if value[0] != '"' {
		return unusable
	}
	s, _ := p.text(value, escaped)
	m := method(s)
	if m == "" {
		return unusable
	}
	e.Method = m
	return taken
}

// method returns s in upper case if it is a method of HTTP or WebDAV, else "".
func method(s string) string {
	switch s {
	case "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "QUERY",
		"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "PURGE":
		return s
	case "get":
		return "GET"
	case "post":
		return "POST"
	case "put":
		return "PUT"
	case "patch":
		return "PATCH"
	case "delete":
		return "DELETE"
	case "head":
		return "HEAD"
	case "options":
		return "OPTIONS"
	}
	return ""
}

// takeStatus accepts 200, "200" and "200 OK".
func (p *parser) takeStatus(e *pipeline.Event, value []byte, escaped bool) outcome {
	s, ok := p.text(value, escaped)
	if !ok || len(s) < 3 || s[0] < '1' || s[0] > '9' || s[1]-'0' > 9 || s[2]-'0' > 9 {
		return unusable
	}
	if len(s) > 3 && s[3] != ' ' {
		return unusable
	}
	e.Status = int16(s[0]-'0')*100 + int16(s[1]-'0')*10 + int16(s[2]-'0')
	if len(s) > 3 {
		return copied
	}
	return taken
}

func (p *parser) takeResponseTime(e *pipeline.Event, u unit, value []byte, escaped bool) outcome {
	s, ok := p.text(value, escaped)
	if !ok {
		return unusable
	}
	if u == written && value[0] != '"' {
		u = p.toldUnit()
	}
	ms, ok := parseDuration(s, u)
	if !ok {
		return unusable
	}
	e.ResponseTime = ms
	if u == written { // "1m3.2s" may be worth reading as it was
		return copied
	}
	return taken
}

// toldUnit returns the unit that another key of the line tells, or written.
func (p *parser) toldUnit() unit {
	for i := range p.scan.members {
		if u := p.scan.members[i].tells; u != 0 {
			return u
		}
	}
	return written
}

// takeRequestLine reads the first line of a request, for what other keys have not said.
func (p *parser) takeRequestLine(e *pipeline.Event, value []byte, escaped bool) outcome {
	if value[0] != '"' {
		return unusable
	}
	s, _ := p.text(value, escaped)
	word, rest, _ := strings.Cut(s, " ")
	m := method(word)
	if target, _, _ := strings.Cut(rest, " "); m != "" && target != "" {
		if e.Method == "" {
			e.Method = m
		}
		if e.Endpoint == "" {
			var r string
			p.batch.Text, r = route(p.batch.Text, target)
			e.Endpoint = cut(r, maxEndpoint)
		}
		return copied
	}
	return unusable
}
