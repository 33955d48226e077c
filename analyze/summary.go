package analyze

import "strconv"

// appendErrorPatterns appends the column error_patterns.
func (s *share) appendErrorPatterns(b []byte) []byte {
	b = append(b, '[')
	s.patterns.top(func(p *errorPattern) {
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = append(b, `{"pattern_id":`...)
		b = strconv.AppendInt(b, p.id, 10)
		b = appendString(appendName(b, "pattern"), head(p.text, maxPatternText))
		b = appendMember(b, "count", p.count)
		b = appendOptional(appendName(b, "level"), p.level)
		b = appendTime(appendName(b, "first"), p.first)
		b = appendTime(appendName(b, "last"), p.last)
		b = appendString(appendName(b, "sample"), head(p.sample, maxPatternText))
		b = append(b, '}')
	})
	return append(b, ']')
}

// appendPerformanceIssues appends the column performance_issues.
func (s *share) appendPerformanceIssues(b []byte) []byte {
	s.slowest.sort()
	b = append(b, '[')
	for i := len(s.slowest.heap) - 1; i >= 0; i-- {
		r := &s.slowest.heap[i]
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = append(b, `{"endpoint":`...)
		b = appendOptional(b, head(r.endpoint, maxRoute))
		b = appendMilliseconds(appendName(b, "response_time"), r.ms)
		b = appendTime(appendName(b, "timestamp"), r.time)
		b = appendOptional(appendName(b, "trace_id"), head(r.trace, maxTrace))
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendSummary appends the column summary.
func (s *share) appendSummary(b []byte) []byte {
	b = append(b, `{"total_logs":`...)
	b = strconv.AppendInt(b, s.total, 10)
	b = appendMember(b, "kept", s.kept)
	b = appendMember(b, "total_errors", s.errors)
	b = appendMember(b, "unique_patterns", int64(len(s.patterns.list)))
	b = appendMember(b, "slow_requests", s.slow)
	b = appendMember(b, "requests", s.requests)
	b = appendMember(b, "failed", s.failed)
	b = s.appendLevels(appendName(b, "levels"))
	b = s.appendStatuses(appendName(b, "statuses"))
	b = s.latency.append(appendName(b, "latency"))
	b = s.users.append(appendName(b, "users"))
	b = s.tenants.append(appendName(b, "tenants"))
	b = s.patternIDs.append(appendName(b, "patterns"))
	return append(b, '}')
}

func (s *share) appendLevels(b []byte) []byte {
	b = append(b, '{')
	for i, level := range s.levels.keys {
		b = append(appendString(b, level), ':')
		b = append(strconv.AppendInt(b, s.levels.counts[i], 10), ',')
	}
	return closeObject(b, s.levels.other)
}

func (s *share) appendStatuses(b []byte) []byte {
	b = append(b, '{')
	for i, status := range s.statuses.keys {
		b = append(strconv.AppendInt(append(b, '"'), int64(status), 10), '"', ':')
		b = append(strconv.AppendInt(b, s.statuses.counts[i], 10), ',')
	}
	return closeObject(b, s.statuses.other)
}

// closeObject ends an object whose members are each followed by a comma, with a member for other keys if there are any.
func closeObject(b []byte, other int64) []byte {
	if other > 0 {
		b = strconv.AppendInt(append(b, `"other":`...), other, 10)
	}
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, '}')
}

// append appends the object of histograms by endpoint.
func (l *latencies) append(b []byte) []byte {
	b = append(b, '{')
	for _, e := range l.admitted {
		b = append(appendString(b, e.route), ':')
		b = append(e.append(b, true), ',')
	}
	if l.other.n > 0 {
		b = append(appendString(b, otherEndpoints), ':')
		b = append(l.other.append(b, false), ',')
	}
	return closeObject(b, 0)
}

// append appends the histogram. The hash is that of the endpoint's route, absent for what several share.
func (e *endpoint) append(b []byte, hashed bool) []byte {
	b = append(b, `{"n":`...)
	b = strconv.AppendInt(b, e.n, 10)
	b = appendMilliseconds(appendName(b, "sum"), e.sum)
	b = appendMilliseconds(appendName(b, "max"), e.max)
	b = appendMember(b, "slow", e.slow)
	if hashed {
		b = appendMember(b, "h", e.hash)
	}
	b = append(appendName(b, "k"), '"')
	for _, bin := range e.bins {
		b = append(strconv.AppendInt(b, int64(bin.bucket), 10), ' ')
	}
	b = append(appendName(closeList(b), "c"), '"')
	for _, bin := range e.bins {
		b = append(strconv.AppendUint(b, uint64(bin.n), 10), ' ')
	}
	return append(closeList(b), '}')
}

// append appends the entries.
func (h *hyperLogLog) append(b []byte) []byte {
	b = append(b, '"')
	h.entries(func(entry uint32) { b = append(strconv.AppendInt(b, int64(entry), 10), ' ') })
	return closeList(b)
}

// closeList ends a list of whole numbers that are each followed by a space. It is a string because jsonb would store
// every number of an array as a numeric of its own, which costs the server more time and space than all the rest.
func closeList(b []byte) []byte {
	if b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return append(b, '"')
}
