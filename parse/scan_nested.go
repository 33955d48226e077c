package parse

// nested scans the array or object below the event's own whose bracket is p[i]. It is a loop with one bit of memory a
// level, since a line of brackets can be a million levels deep.
func (s *scanner) nested(p []byte, i int) (end int, reason string) {
	depth := 0
	for {
		// p[i] starts a value.
		if i >= len(p) {
			return i, badEnd
		}
		if c := p[i]; c == '{' || c == '[' {
			s.push(depth, c == '{')
			depth++
			if depth >= maxDepth { // the event's own object is a level too
				s.odd = true
			}
			i = skipBlank(p, i+1)
			switch {
			case i < len(p) && p[i] == c+2: // '[' and ']', '{' and '}' are two apart
				i++
				depth--
			case c == '{':
				if i, reason = s.nestedKey(p, i); reason != "" {
					return i, reason
				}
				continue
			default:
				continue
			}
		} else if i, _, reason = s.value(p, i); reason != "" {
			return i, reason
		}
		// A value has ended at i; so may any number of brackets.
		if i, depth, reason = s.closing(p, i, depth); reason != "" || depth == 0 {
			return i, reason
		}
	}
}

// closing goes on behind a value to the next one in the brackets that are open, or to the end of the outermost.
func (s *scanner) closing(p []byte, i, depth int) (int, int, string) {
	for depth > 0 {
		i = skipBlank(p, i)
		if i >= len(p) {
			return i, depth, badEnd
		}
		brace := s.top(depth - 1)
		switch c := p[i]; {
		case c == ',' && brace:
			i, reason := s.nestedKey(p, skipBlank(p, i+1))
			return i, depth, reason
		case c == ',':
			return skipBlank(p, i+1), depth, ""
		case c == '}' && brace, c == ']' && !brace:
			i++
			depth--
		default:
			return i, depth, badByte
		}
	}
	return i, depth, ""
}

// nestedKey scans a key and its colon, and returns where the value starts.
func (s *scanner) nestedKey(p []byte, i int) (start int, reason string) {
	end, what, reason := key(p, i)
	if reason != "" {
		return i, reason
	}
	s.keys++
	if what&odd != 0 || end-i > maxKeyLength+1 || s.keys > maxKeys {
		s.odd = true
	}
	return colon(p, end+1)
}

func (s *scanner) push(depth int, brace bool) {
	word, bit := depth/64, uint64(1)<<(depth%64)
	if word == len(s.open) {
		s.open = append(s.open, 0)
	}
	if brace {
		s.open[word] |= bit
	} else {
		s.open[word] &^= bit
	}
}

func (s *scanner) top(depth int) bool { return s.open[depth/64]&(1<<(depth%64)) != 0 }
