package analyze

import "strings"

// frameOf recognises a line of a stack trace: of the JVM, .NET or JavaScript, Python, Go, Rust, Ruby or PHP. next is the line
// after it. own says that the function is not known to be a library's.
func frameOf(line, text, next string) (name string, own, ok bool) {
	switch {
	case strings.HasPrefix(text, "at ") && len(text) < len(line):
		return frameAt(text[len("at "):])
	case strings.HasPrefix(text, `File "`):
		return framePython(text[len(`File "`):])
	case strings.HasPrefix(next, "\t") && strings.Contains(next, ".go:"):
		return frameGo(line, next)
	case text[0] == '#' && len(text) > 1 && isDigit(text[1]):
		return framePHP(text)
	case isDigit(text[0]):
		return frameRust(text, next)
	}
	return frameRuby(text)
}

// frameAt reads what follows `at `: a.b.C.m(C.java:5), A.B.m(Int32 i) in C.cs:line 5, f (file.js:1:2) or file.js:1:2.
func frameAt(s string) (name string, own, ok bool) {
	where := s
	if i := strings.IndexByte(s, '('); i >= 0 {
		name, where = strings.TrimSpace(s[:i]), s[i+1:]
	}
	for _, prefix := range [...]string{"async ", "new ", "Object."} {
		name = strings.TrimPrefix(name, prefix)
	}
	if i := strings.IndexByte(name, '/'); i >= 0 && strings.IndexByte(name[:i], '$') < 0 {
		name = name[i+1:] // the module: java.base/java.lang.Thread
	}
	if name == "" || name == "<anonymous>" {
		if name = fileName(where); name == "" {
			return "", false, false
		}
	}
	return name, !isForeignName(name) && !isForeignPath(where), true
}

// framePython reads what follows `File "`: main.py", line 5, in run.
func framePython(s string) (name string, own, ok bool) {
	path, rest, ok := strings.Cut(s, `", line `)
	if !ok {
		return "", false, false
	}
	_, function, _ := strings.Cut(rest, ", in ")
	return fileName(path) + "." + function, !isForeignPath(path), true
}

// frameGo reads main.(*T).run(0xc000012345, 0x5), after which a line names the file.
func frameGo(line, file string) (name string, own, ok bool) {
	if strings.HasPrefix(line, "created by ") {
		return "", false, false
	}
	name = line
	if strings.HasSuffix(line, ")") {
		if i := strings.LastIndexByte(line, '('); i > 0 {
			name = line[:i]
		}
	}
	if name == "" || strings.ContainsAny(name, " \t") {
		return "", false, false
	}
	first, _, _ := strings.Cut(name, ".")
	standard := first != "main" && strings.IndexByte(first, '/') < 0 && strings.Contains(file, "/src/"+first+"/")
	host, _, slash := strings.Cut(name, "/")
	standard = standard || slash && strings.IndexByte(host, '.') < 0 && strings.Contains(file, "/src/"+host+"/")
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	return name, !standard && first != "runtime" && first != "panic" && !isForeignPath(file), true
}

// framePHP reads #0 /app/a.php(12): App\Shop->pay(5).
func framePHP(s string) (name string, own, ok bool) {
	place, call, ok := strings.Cut(s, "): ")
	if !ok {
		return "", false, false
	}
	name, _, _ = strings.Cut(call, "(")
	return name, !isForeignPath(place), name != ""
}

// frameRust reads 5: app::shop::pay::h0123456789abcdef, after which a line names the file, if it is known.
func frameRust(s, next string) (name string, own, ok bool) {
	n := digits(s)
	name, ok = strings.CutPrefix(s[n:], ": ")
	if !ok || !strings.Contains(name, "::") && name != "main" || strings.ContainsAny(name, " \t") {
		return "", false, false
	}
	if i := strings.LastIndex(name, "::h"); i >= 0 && len(name)-i == len("::h0123456789abcdef") {
		name = name[:i]
	}
	return name, !isForeignName(name) && !isForeignPath(next), true
}

// frameRuby reads /app/shop.rb:12:in 'Shop#pay'.
func frameRuby(s string) (name string, own, ok bool) {
	s = strings.TrimPrefix(s, "from ")
	i := strings.Index(s, ":in ")
	if i < 0 || len(s) < i+6 || s[i+4] != '\'' && s[i+4] != '`' {
		return "", false, false
	}
	place := s[:i]
	colon := strings.LastIndexByte(place, ':')
	if colon < 0 || colon+1 == len(place) || classOf(place[colon+1:]) != digit {
		return "", false, false
	}
	function, _, _ := strings.Cut(s[i+5:], "'")
	return fileName(place[:colon]) + "." + strings.TrimPrefix(function, "block in "), !isForeignPath(place), true
}

// fileName returns the name of a file without folders, ending, line and column.
func fileName(path string) string {
	path = strings.TrimRight(path, ")\r ")
	path = path[strings.LastIndexAny(path, `/\`)+1:]
	for i := range len(path) {
		if path[i] == ':' || path[i] == '.' && i > 0 {
			return path[:i]
		}
	}
	return path
}

// appendFrame appends a function without what a compiler or a proxy numbered: Shop$1, lambda$pay$0, Shop$$Lambda$14/0x1,
// $Proxy12, main.run.func1.2.
func appendFrame(dst []byte, name string) []byte {
	for i := 0; i < len(name); {
		switch c := name[i]; {
		case c == '$' && i > 0 && strings.HasPrefix(name[i:], "$$"):
			for i < len(name) && name[i] != '.' {
				i++
			}
		case c == '$' && i+1 < len(name) && isDigit(name[i+1]):
			i++
			i += digits(name[i:])
		case isDigit(c) && followsNumbered(name[:i]):
			i += digits(name[i:])
		case c <= ' ':
			i++
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

// followsNumbered reports whether digits after s are a number that a compiler gave.
func followsNumbered(s string) bool {
	for _, suffix := range [...]string{"$Proxy", "Accessor", ".func", ".gowrap", "lambda"} {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return strings.HasSuffix(strings.TrimRight(s, ".0123456789"), ".func")
}

// typeIn returns the first word of a line that names a type of errors, "" if there is none.
func typeIn(line string) string {
	line = strings.TrimLeft(line, " \t->")
	if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") || strings.Contains(line, " panicked at ") {
		return "panic"
	}
	if kind := typeAt(line); strings.ContainsAny(kind, `.\`) || strings.Contains(kind, "::") || isTypeName(kind) {
		return kind
	}
	for word := range strings.FieldsSeq(line) {
		if word == "Exception" {
			continue // in thread "main"
		}
		word = strings.Trim(word, `()[]:,"'`)
		if i := strings.Index(word, ":"); i > 0 && !strings.HasPrefix(word[i:], "::") {
			word = word[:i]
		}
		if isTypeName(word) {
			return word
		}
	}
	return ""
}

// typeAt returns the type that a line begins with: all of it, or what stands before a colon.
func typeAt(line string) string {
	kind, _, _ := strings.Cut(strings.TrimSpace(line), ": ")
	kind = strings.TrimSuffix(kind, ":")
	if kind == "" || classes[kind[0]]&(letter|wide|underscore) == 0 {
		return ""
	}
	for i := range len(kind) {
		if classes[kind[i]]&(letter|wide|digit|underscore|dot|sign|colon|backslash) == 0 {
			return ""
		}
	}
	return kind
}
