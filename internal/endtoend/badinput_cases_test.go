package endtoend

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Reasons of dead letters.
const (
	jsonEnd     = "json: unexpected end of input"
	jsonByte    = "json: unexpected character"
	jsonControl = "json: control character in a string"
	jsonEscape  = "json: malformed escape in a string"
	jsonNumber  = "json: malformed number"
	jsonKind    = "json: neither an object nor an array of objects"
	jsonRest    = "json: text after the end"
	lineLength  = "line: longer than limits.line"
	lineCount   = "line: more than 10000 events"
	textBinary  = "text: binary data"
)

// A place says where in the file of good lines a case stands.
type place int

const (
	middle place = iota
	first
	last // and its only line has no newline
)

// A badCase is what may stand among good lines.
type badCase struct {
	name    string
	place   place
	newline string // of the whole file; "" is \n
	before  string // bytes before the first of its lines, part of none
	lines   []line
}

// A line says what has to become of it: a dead letter, rows, filtered, or nothing at all.
type line struct {
	text     string
	rows     []string // JSON objects of columns; those left out are NULL or empty
	dead     string   // reason
	filtered bool
	joined   bool // it continues the event of the line before
}

func stored(name, text string, rows ...string) badCase {
	return badCase{name: name, lines: []line{{text: text, rows: rows}}}
}

func dead(name, text, reason string) badCase {
	return badCase{name: name, lines: []line{{text: text, dead: reason}}}
}

// same is a line of which nothing has a column and nothing has to change.
func same(name, text string) badCase { return stored(name, text, `{"attrs":`+text+`}`) }

func autoCases() []badCase {
	return join(characterCases(), numberCases(), shapeCases(), brokenCases(), textCases(), timeCases(), columnCases(), markCases())
}

func join(lists ...[]badCase) (all []badCase) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// characterCases are strings that jsonb or UTF-8 have no place for, and some that only look so.
func characterCases() []badCase {
	return []badCase{
		stored("NUL escape in a value", `{"a":"x\u0000y"}`, `{"attrs":{"a":"x\ufffdy"}}`),
		stored("NUL escape in a key", `{"a\u0000b":1}`, `{"attrs":{"a\ufffdb":1}}`),
		stored("NUL escape deep inside", `{"a":[{"b\u0000":["\u0000"]}]}`, `{"attrs":{"a":[{"b\ufffd":["\ufffd"]}]}}`),
		stored("NUL escape in columns", `{"message":"x\u0000y","trace_id":"\u0000","level":"error"}`,
			`{"message":"x\ufffdy","trace_id":"\ufffd","level":"ERROR"}`),
		same("escaped backslash before u0000", `{"a":"x\\u0000y"}`),
		stored("escaped backslash and NUL escape", `{"message":"\\u0000\\\u0000"}`, `{"message":"\\u0000\\\ufffd"}`),
		dead("raw NUL in a string", "{\"message\":\"x\x00y\"}", jsonControl),
		dead("raw NUL between tokens", "{\"a\":\x001}", jsonByte),
		dead("raw NUL in text", "text with \x00 in it", textBinary),
		stored("lone high surrogate", `{"message":"x\ud800y"}`, `{"message":"x\ufffdy"}`),
		stored("lone low surrogate", `{"message":"x\udc00"}`, `{"message":"x\ufffd"}`),
		stored("swapped surrogates", `{"message":"\ude00\ud83d"}`, `{"message":"\ufffd\ufffd"}`),
		stored("lone surrogate in a key", `{"\ud83dk":1}`, `{"attrs":{"\ufffdk":1}}`),
		stored("surrogate pair", `{"message":"\ud83d\ude00"}`, `{"message":"😀"}`),
		stored("invalid UTF-8", "{\"message\":\"x\xff\xfey\"}", `{"message":"x\ufffdy"}`),
		stored("invalid UTF-8 in a key", "{\"k\xff\":\"v\"}", `{"attrs":{"k\ufffd":"v"}}`),
		stored("invalid UTF-8 in text", "the caf\xe9 is open", `{"message":"the caf\ufffd is open"}`),
		stored("UTF-8 cut short", "{\"message\":\"caf\xc3\"}", `{"message":"caf\ufffd"}`),
		stored("overlong UTF-8", "{\"message\":\"x\xc0\xafy\xc1\xbfz\"}", `{"message":"x\ufffdy\ufffdz"}`),
		stored("CESU-8", "{\"message\":\"x\xed\xa0\xbd\xed\xb8\x80y\"}", `{"message":"x\ufffdy"}`),
		stored("beyond U+10FFFF", "{\"message\":\"x\xf4\x90\x80\x80y\"}", `{"message":"x\ufffdy"}`),
		stored("U+FFFF, DEL, C1, U+2028", "{\"message\":\"\uffff\x7f\u0085\u2028\"}", `{"message":"\uffff\u007f\u0085\u2028"}`),
		same("U+FFFF, DEL, C1, U+2028 in attrs", "{\"a\uffff\":\"\uffff\x7f\u0085\u2028\u2029\ufeff\"}"),
		dead("raw control character", "{\"message\":\"x\x01y\"}", jsonControl),
		dead("raw tab", "{\"message\":\"x\ty\"}", jsonControl),
		dead("raw carriage return", "{\"message\":\"x\ry\"}", jsonControl),
		dead("raw terminal escape", "{\"message\":\"\x1b[31mred\"}", jsonControl),
		dead("unknown escape", `{"a":"\x41"}`, jsonEscape),
		dead("unicode escape of three digits", `{"a":"\u00g0"}`, jsonEscape),
	}
}

// numberCases are numbers beyond what jsonb stores, what a client reads, or what JSON allows.
func numberCases() []badCase {
	long := strings.Repeat("7", 200_000)
	return []badCase{
		stored("1e999999", `{"a":1e999999}`, `{"attrs":{"a":"1e999999"}}`),
		stored("-1e999999 in an array", `{"a":[-1e999999]}`, `{"attrs":{"a":["-1e999999"]}}`),
		stored("200,000 digits", `{"a":`+long+`}`, `{"attrs":{"a":"`+long+`"}}`),
		stored("1e131071", `{"a":1e131071}`, `{"attrs":{"a":"1e131071"}}`),
		stored("1e-16384", `{"a":1e-16384}`, `{"attrs":{"a":"1e-16384"}}`),
		stored("1e308", `{"a":1e308}`, `{"attrs":{"a":1`+strings.Repeat("0", 308)+`}}`),
		same("2^64", `{"a":18446744073709551616}`),
		stored("2^64 in columns", `{"user_id":18446744073709551616,"status":18446744073709551616,"line":18446744073709551616}`,
			`{"user_id":"18446744073709551616","attrs":{"status":18446744073709551616,"line":18446744073709551616}}`),
		dead("NaN", `{"a":NaN}`, jsonByte),
		dead("Infinity", `{"a":Infinity}`, jsonByte),
		dead("-Infinity", `{"a":-Infinity}`, jsonNumber),
		dead("+1", `{"a":+1}`, jsonByte),
		dead(".5", `{"a":.5}`, jsonByte),
		dead("5.", `{"a":5.}`, jsonNumber),
		dead("007", `{"a":007}`, jsonNumber),
		dead("0x10", `{"a":0x10}`, jsonByte),
		dead("1e", `{"a":1e}`, jsonNumber),
	}
}

// shapeCases are objects that are unusual as a whole.
func shapeCases() []badCase {
	many, kept, overflow := manyKeys(100_000)
	nested, _, _ := manyKeys(2000)
	nestedKept, nestedOverflow := nested[:1023], nested[1023:] // 1,024 keys at all levels
	longKey := strings.Repeat("k", 300)
	return []badCase{
		stored("duplicate keys", `{"a":1,"b":2,"a":3}`, `{"attrs":{"a":3,"b":2}}`),
		stored("duplicate keys of a column", `{"message":"one","message":"two"}`, `{"message":"two"}`),
		stored("duplicate keys by escape", `{"a":1,"\u0061":2}`, `{"attrs":{"a":2}}`),
		same("empty key", `{"":1}`),
		stored("empty object", `{}`, `{}`),
		stored("long key", `{"`+longKey+`":1}`, `{"attrs":{"_overflow":`+quote(`"`+longKey+`":1`)+`}}`),
		stored("100,000 keys", object(many), `{"attrs":`+object(append(kept, `"_overflow":`+quote(strings.Join(overflow, ","))))+`}`),
		stored("2,000 nested keys", `{"a":`+object(nested)+`}`,
			`{"attrs":{"a":`+object(nestedKept)+`,"_overflow":`+quote(strings.Join(nestedOverflow, ","))+`}}`),
		deep("depth 63", 62),
		deep("depth 9,999", 9_998),
		deep("depth 500,000", 499_999),
		dead("depth 500,000 that is left open", `{"a":`+strings.Repeat("[", 500_000), jsonEnd),
		dead("10 MB string", `{"message":"`+strings.Repeat("m", 10_000_000)+`"}`, lineLength),
		dead("one byte too long", `"`+strings.Repeat("m", 1<<20), lineLength),
		stored("as long as may be", `{"a":"`+strings.Repeat("m", 1<<20-8)+`"}`, `{"attrs":{"a":"`+strings.Repeat("m", 1<<20-8)+`"}}`),
		stored("array", `[{"message":"one"},{"message":"two","a":1}]`, `{"message":"one"}`, `{"message":"two","attrs":{"a":1}}`),
		{name: "empty array", lines: []line{{text: `[]`, filtered: true}}},
		stored("array of 10,000", "["+strings.Repeat("{},", 9_999)+"{}]", repeat("{}", 10_000)...),
		dead("array of 10,001", "["+strings.Repeat("{},", 10_000)+"{}]", lineCount),
		dead("array of mixed kinds", `[{"a":1},2]`, jsonKind),
		dead("array that is left open", `[{"a":1},`, jsonEnd),
		dead("array and more", `[{"a":1}] [{"a":2}]`, jsonRest),
		stored("two objects", `{"message":"one"}{"message":"two"}`, `{"message":"one"}`, `{"message":"two"}`),
		stored("two objects and blanks", ` {"a":1}  {"a":2} `, `{"attrs":{"a":1}}`, `{"attrs":{"a":2}}`),
		dead("two objects and a comma", `{"a":1},{"a":2}`, jsonRest),
		dead("object and text", `{"a":1} and more`, jsonRest),
		dead("object and half of one", `{"a":1}{"a":`, jsonEnd),
	}
}

// deep is a line with so many arrays in each other, in an object; 64 levels are stored as such.
func deep(name string, arrays int) badCase {
	const most = 63
	inner := strings.Repeat("[", arrays) + strings.Repeat("]", arrays)
	text := `{"a":` + inner + `}`
	if arrays <= most {
		return same(name, text)
	}
	rest := inner[most : len(inner)-most]
	return stored(name, text, `{"attrs":{"a":`+strings.Repeat("[", most)+`"`+rest+`"`+strings.Repeat("]", most)+`}}`)
}

// manyKeys returns n members, those that have a place in the event's own object, and the others.
func manyKeys(n int) (all, kept, overflow []string) {
	for i := range n {
		all = append(all, `"`+strconv.FormatInt(int64(i), 36)+`":0`)
	}
	return all, all[:256:256], all[256:]
}

func object(members []string) string { return "{" + strings.Join(members, ",") + "}" }

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always has a form
	}
	return string(quoted)
}

func repeat(row string, n int) (rows []string) {
	for range n {
		rows = append(rows, row)
	}
	return rows
}

// brokenCases are lines that want to be JSON.
func brokenCases() []badCase {
	return []badCase{
		dead("single quotes", `{'a':1}`, jsonByte),
		dead("keys without quotes", `{a:1}`, jsonByte),
		dead("trailing comma", `{"a":1,}`, jsonByte),
		dead("trailing comma in an array", `{"a":[1,]}`, jsonByte),
		dead("comment", `{"a":1 /* one */}`, jsonByte),
		dead("comment after the end", `{"a":1} // one`, jsonRest),
		dead("Python's None", `{"a":None}`, jsonByte),
		dead("no colon", `{"a" 1}`, jsonByte),
		dead("bracket of the other kind", `{"a":[1}`, jsonByte),
		dead("cut in a string", `{"message":"cut he`, jsonEnd),
		dead("cut in an escape", `{"message":"cut \u00`, jsonEnd),
		dead("cut in a literal", `{"a":tru`, jsonEnd),
		dead("cut after a comma", `{"a":1,`, jsonEnd),
		dead("brace alone", `{`, jsonEnd),
		{name: "cut, and the next line begins behind it", lines: []line{
			{text: `{"message":"cut he{"message":"whole"}`, dead: jsonByte},
		}},
		{name: "object over two lines", lines: []line{
			{text: `{"message":`, dead: jsonEnd},
			{text: `"two lines"}`, rows: []string{`{"message":"\"two lines\"}"}`}},
		}},
	}
}

// textCases are lines that are no JSON, which are messages unless they are binary.
func textCases() []badCase {
	const injection = `'); DROP TABLE log_events; --`
	return []badCase{
		stored("scalar number", `42`, `{"message":"42"}`),
		stored("scalar string", `"text"`, `{"message":"\"text\""}`),
		stored("null", `null`, `{"message":"null"}`),
		stored("array of numbers", `[1,2]`, `{"message":"[1,2]"}`),
		stored("end of COPY data", `\.`, `{"message":"\\."}`),
		stored("COPY's NULL", `\N`, `{"message":"\\N"}`),
		stored("tabs and backslashes", "a\tb\\c\\", `{"message":"a\tb\\c\\"}`),
		stored("tabs and backslashes in JSON", `{"message":"a\tb\\c\\.\\N","a\t\\":"\\\t"}`, `{"message":"a\tb\\c\\.\\N","attrs":{"a\t\\":"\\\t"}}`),
		stored("SQL", `{"message":"`+injection+`","service":"`+injection+`","`+injection+`":"`+injection+`"}`,
			`{"message":"`+injection+`","service":"`+injection+`","attrs":{"`+injection+`":"`+injection+`"}}`),
		stored("SQL in text", injection, `{"message":"`+injection+`"}`),
		stored("terminal escapes", `{"message":"\u001b[2J\nERROR forged","\u001b[31m":1}`, `{"message":"\u001b[2J\nERROR forged","attrs":{"\u001b[31m":1}}`),
		stored("terminal escapes in text", "\x1b[31mred\x1b[0m", `{"message":"\u001b[31mred\u001b[0m"}`),
		dead("gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xcbH\xcd\xc9\xc9\x07\x00\x86\xa6\x106\x05\x00\x00\x00", textBinary),
		dead("random bytes", "\x9c\xf3\x8e\xb1\xd7\x02\xe4\x13\xc8\xa9\x5b\xff\xfe\x81\x90\xba", textBinary),
		{name: "picture of several lines", lines: []line{
			{text: "\x89PNG", dead: textBinary},
			{text: "\x1a", dead: textBinary},
			{text: "\x00\x00\x00\rIHDR\x00\x00\x01\x00", dead: textBinary},
		}},
		{name: "blank lines", lines: []line{{}, {text: " "}, {text: "\t \r"}, {text: "\v\f"}, {}}},
		{name: "stack trace", lines: []line{
			{text: "Traceback (most recent call last):", rows: []string{`{"message":"E: no",` +
				`"exception":"Traceback (most recent call last):\n  File \"a.py\", line 1\nE: no"}`}},
			{text: `  File "a.py", line 1`, joined: true},
			{text: `E: no`, joined: true},
		}},
	}
}

// timeCases are what stands where a time is due. Their lines share a file, being alike.
func timeCases() []badCase {
	var refused, accepted badCase
	refused.name, accepted.name = "times that are refused", "times that are read"
	for _, v := range []string{
		`"infinity"`, `"-infinity"`, `"now"`, `"tomorrow"`, `"yesterday"`, `"epoch"`, `"allballs"`, `"NaN"`,
		`"0000-01-01T00:00:00Z"`, `"2026-02-30T00:00:00Z"`, `"2026-01-15T25:00:00Z"`, `"2026-13-01T00:00:00Z"`, `"23:59:60"`,
		`"01/02/2026"`, `"01/02/2026 08:00:00"`, `"15.01.2026 08:00:00"`,
		`"0001-01-01T00:00:00Z"`, `"1970-01-01T00:00:00Z"`, `"1999-12-31T23:59:59Z"`, `"2100-01-01T00:00:00Z"`, `"9999-12-31T23:59:59Z"`,
		`0`, `-1`, `9223372036854775807`, `18446744073709551616`, `true`, `{"a":1}`, `[1767225600]`,
	} {
		refused.lines = append(refused.lines, line{
			text: `{"timestamp":` + v + `,"message":"m"}`, rows: []string{`{"message":"m","attrs":{"_ts":` + v + `}}`},
		})
	}
	for value, want := range map[string]string{
		`"1767225600"`:            "2026-01-01T00:00:00",
		`1767225600123`:           "2026-01-01T00:00:00.123",
		`"2026-01-15T23:59:60Z"`:  "2026-01-16T00:00:00",
		`"2000-01-01T00:00:00Z"`:  "2000-01-01T00:00:00",
		`"2026-01-15 08:00:01,5"`: "2026-01-15T08:00:01.5",
	} {
		accepted.lines = append(accepted.lines, line{
			text: `{"timestamp":` + value + `}`, rows: []string{`{"timestamp":"` + want + `+00:00"}`},
		})
	}
	return []badCase{
		refused, accepted,
		stored("time NUL escape", `{"timestamp":"\u0000"}`, `{"attrs":{"_ts":"\ufffd"}}`),
		stored("time 1e999999", `{"timestamp":1e999999}`, `{"attrs":{"_ts":"1e999999"}}`),
		stored("time null", `{"timestamp":null,"message":"m"}`, `{"message":"m"}`),
	}
}

// columnCases are values that columns or their indexes have no place for: the column is cut or NULL, attrs have the value.
func columnCases() []badCase {
	cutTo := func(key string, length, limit int) badCase {
		value := strings.Repeat("é", length/2)
		return stored(fmt.Sprintf("%s of %d bytes", key, length), `{"`+key+`":"`+value+`"}`,
			`{"`+key+`":"`+value[:limit]+`","attrs":{"`+key+`":"`+value+`"}}`)
	}
	// A btree takes 2,704 bytes after compression: this does not compress.
	noise := make([]byte, 3000)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = 'a' + byte(x>>24)%26
	}
	unfit := badCase{name: "values that do not fit their column"}
	for _, member := range []string{
		`"response_time":"NaN"`, `"response_time":"Infinity"`, `"response_time":-1`, `"status":99999`, `"status":-200`, `"status":"fine"`,
		`"client_ip":"not an address"`, `"client_ip":"300.1.2.3"`, `"client_ip":"10.0.0.0/8"`, `"level":{"name":"x"}`, `"message":["x"]`,
	} {
		unfit.lines = append(unfit.lines, line{text: `{` + member + `}`, rows: []string{`{"attrs":{` + member + `}}`}})
	}
	return []badCase{
		unfit,
		cutTo("service", 3000, 200),
		cutTo("trace_id", 3000, 200),
		cutTo("user_id", 3000, 200),
		cutTo("tenant_id", 33_000, 200),
		cutTo("logger", 33_000, 200),
		cutTo("endpoint", 33_000, 512),
		cutTo("message", 33_000, 8<<10),
		cutTo("exception", 33_000, 32<<10),
		stored("trace_id of noise", `{"trace_id":"`+string(noise)+`","service":"`+string(noise)+`","level":"ERROR"}`,
			`{"level":"ERROR","trace_id":"`+string(noise[:200])+`","service":"`+string(noise[:200])+`","attrs":{"trace_id":"`+
				string(noise)+`","service":"`+string(noise)+`"}}`),
		stored("text of 33,000 bytes", strings.Repeat("t", 33_000),
			`{"message":"`+strings.Repeat("t", 8<<10)+`","attrs":{"message":"`+strings.Repeat("t", 33_000)+`"}}`),
		stored("response time 1e39", `{"response_time":1e39}`, `{"attrs":{"response_time":1`+strings.Repeat("0", 39)+`}}`),
		stored("response time 1e999", `{"response_time":1e999}`, `{"attrs":{"response_time":"1e999"}}`),
		stored("response time 3e38", `{"response_time":3e38}`, `{"response_time":3`+strings.Repeat("0", 38)+`,"slow":true}`),
		stored("response time 1e-300", `{"response_time":1e-300}`, `{"response_time":0}`),
	}
}

// markCases are about where lines begin and end.
func markCases() []badCase {
	bom := stored("byte order mark", `{"message":"m"}`, `{"message":"m"}`)
	bom.place, bom.before = first, "\ufeff"
	crlf := stored("CRLF", `{"message":"m"}`, `{"message":"m"}`)
	crlf.newline = "\r\n"
	partial := stored("last line without newline", `{"message":"m"}`, `{"message":"m","attrs":{"_partial":true}}`)
	partial.place = last
	half := dead("last line cut", `{"message":"m`, jsonEnd)
	half.place = last
	huge := dead("last line too long", strings.Repeat("m", 3<<20), lineLength)
	huge.place = last
	return []badCase{
		bom, crlf, partial, half, huge,
		stored("byte order mark inside", "\ufeff"+`{"message":"m"}`, `{"message":"\ufeff{\"message\":\"m\"}"}`),
	}
}

// jsonCases are those where format json is stricter.
func jsonCases() []badCase {
	return []badCase{
		dead("scalar number", `42`, jsonKind),
		dead("scalar string", `"text"`, jsonKind),
		dead("null", `null`, jsonKind),
		dead("array of numbers", `[1,2]`, jsonKind),
		dead("array of null", `[null]`, jsonKind),
		dead("text", `plain text`, jsonKind),
		dead("end of COPY data", `\.`, jsonKind),
		dead("gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xcbH\xcd\xc9\xc9\x07\x00\x86\xa6\x106\x05\x00\x00\x00", jsonKind),
		dead("byte order mark inside", "\ufeff"+`{"message":"m"}`, jsonKind),
		dead("200 KB of text", strings.Repeat("t", 200_000), jsonKind),
		dead("cut", `{"message":"cut he`, jsonEnd),
		{name: "empty array", lines: []line{{text: ` [ ] `, filtered: true}}},
		stored("array", `[{"message":"one"},{"message":"two"}]`, `{"message":"one"}`, `{"message":"two"}`),
		{name: "blank lines", lines: []line{{}, {text: " \t"}}},
		same("object", `{"a":null}`),
	}
}

// longCases are lines beyond the usual limit, where limits.line is 4 MiB.
func longCases() []badCase {
	const size = 2_000_000
	words := strings.Repeat("words to be found by a search ", size/30)
	return []badCase{
		stored("2 MB message", `{"message":"`+words+`"}`, `{"message":"`+words[:8<<10]+`","attrs":{"message":"`+words+`"}}`),
		stored("2 MB exception", `{"exception":"`+words+`"}`, `{"exception":"`+words[:32<<10]+`","attrs":{"exception":"`+words+`"}}`),
		stored("2 MB of text", words, `{"message":"`+words[:8<<10]+`","attrs":{"message":"`+words+`"}}`),
		deep("depth 1,000,000", 999_999),
		dead("depth 1,000,000 that is left open", strings.Repeat(`{"a":`, 500_000), jsonEnd),
		dead("2 MB of JSON cut short", `{"message":"`+words, jsonEnd),
		dead("10 MB string", `{"message":"`+strings.Repeat("m", 10_000_000)+`"}`, lineLength),
	}
}
