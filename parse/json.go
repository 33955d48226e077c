package parse

// looksJSON reports whether p from its first byte i that is not blank on starts like an object or an array of objects.
func looksJSON(p []byte, i int) bool {
	if p[i] == '[' {
		i = skipBlank(p, i+1)
		return i < len(p) && (p[i] == '{' || p[i] == ']')
	}
	return p[i] == '{'
}

// parseJSON parses one array of objects, or one object, or several written one after the other.
func (p *parser) parseJSON(raw []byte, i int) (reason string) {
	if raw[i] == '[' {
		i, reason = p.parseArray(raw, skipBlank(raw, i+1))
		if reason == "" && skipBlank(raw, i) < len(raw) {
			return badRest
		}
		return reason
	}
	for index := 0; ; index++ {
		if i, reason = p.parseObject(raw, i, index); reason != "" {
			return reason
		}
		if i = skipBlank(raw, i); i == len(raw) {
			return ""
		}
		if raw[i] != '{' {
			return badRest
		}
	}
}

// parseArray parses the elements of an array; raw[i] is the first of them or the closing bracket.
func (p *parser) parseArray(raw []byte, i int) (end int, reason string) {
	if i < len(raw) && raw[i] == ']' {
		return i + 1, ""
	}
	for index := 0; ; index++ {
		switch {
		case i >= len(raw):
			return i, badEnd
		case raw[i] != '{':
			return i, badKind
		}
		if i, reason = p.parseObject(raw, i, index); reason != "" {
			return i, reason
		}
		i = skipBlank(raw, i)
		switch {
		case i >= len(raw):
			return i, badEnd
		case raw[i] == ']':
			return i + 1, ""
		case raw[i] != ',':
			return i, badByte
		}
		i = skipBlank(raw, i+1)
	}
}

// parseObject makes an event of the object whose brace is raw[i].
func (p *parser) parseObject(raw []byte, i, index int) (end int, reason string) {
	if index == maxEvents {
		return i, badCount
	}
	if end, reason = p.scan.object(raw, i); reason != "" {
		return i, reason
	}
	if p.scan.repeats {
		p.changed = true
	}
	if p.scan.odd {
		p.changed = true
		b := p.batch
		start := len(b.Text)
		b.Text = p.repair.object(b.Text, raw[i:end])
		raw = b.Text[start:]
		p.scan.object(raw, 0) // what it still finds odd, a long key in _overflow's place, is allowed now
	}
	e := p.newEvent(index)
	p.promote(e, raw)
	p.buildAttrs(e, raw)
	return end, ""
}
