package parse

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

var standardNames = must(newNames(nil))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// scanAll scans text as one object and nothing else.
func scanAll(text string) (s scanner, reason string) {
	s = newScanner(standardNames)
	p := []byte(text)
	i := skipBlank(p, 0)
	if i == len(p) || p[i] != '{' {
		return s, badKind
	}
	end, reason := s.object(p, i)
	if reason == "" && skipBlank(p, end) < len(p) {
		reason = badRest
	}
	return s, reason
}

func TestScanRejects(t *testing.T) {
	t.Parallel()
	f := func(text, want string) {
		t.Helper()
		if _, got := scanAll(text); got != want {
			t.Errorf("%q: reason %q, want %q", text, got, want)
		}
	}
	f(`{`, badEnd)
	f(`{"a"`, badEnd)
	f(`{"a":`, badEnd)
	f(`{"a":1`, badEnd)
	f(`{"a":1,`, badEnd)
	f(`{"a":"x`, badEnd)
	f(`{"a":"x\`, badEnd)
	f(`{"a":"\u12`, badEnd)
	f(`{"a":tr`, badEnd)
	f(`{"a":-`, badEnd)
	f(`{"a":1.`, badEnd)
	f(`{"a":1e`, badEnd)
	f(`{"a":[`, badEnd)
	f(`{"a":{"b":[1,{"c":2}`, badEnd)
	f(`{a:1}`, badByte)
	f(`{'a':1}`, badByte)
	f(`{"a" 1}`, badByte)
	f(`{"a":1,}`, badByte)
	f(`{"a":[1,]}`, badByte)
	f(`{"a":{"b":1,}}`, badByte)
	f(`{"a":[1}}`, badByte)
	f(`{"a":{"b":1]}`, badByte)
	f(`{"a":nul}`, badByte)
	f(`{"a":True}`, badByte)
	f(`{"a":NaN}`, badByte)
	f(`{"a":Infinity}`, badByte)
	f(`{"a":+1}`, badByte)
	f(`{"a":.5}`, badByte)
	f(`{"a":0x10}`, badByte)
	f(`{"a":'x'}`, badByte)
	f(`{"a":1 /* x */}`, badByte)
	f(`{"a":1 "b":2}`, badByte)
	f(`{"a":1}}`, badRest)
	f("{\"a\":1}\v", badRest)
	f(`{"a":007}`, badNumber)
	f(`{"a":-01}`, badNumber)
	f(`{"a":1.}`, badNumber)
	f(`{"a":1.e5}`, badNumber)
	f(`{"a":1e+}`, badNumber)
	f(`{"a":-}`, badNumber)
	f(`{"a":"\x"}`, badEscape)
	f(`{"a":"\u12g4"}`, badEscape)
	f(`{"\U0041":1}`, badEscape)
	f("{\"a\":\"x\ty\"}", badControl)
	f("{\"a\":\"x\x00y\"}", badControl)
	f("{\"a\x1f\":1}", badControl)
}

// The grammar is that of encoding/json; what else jsonb needs is not the grammar's business.
func TestScanAgreesWithStandardLibrary(t *testing.T) {
	t.Parallel()
	agree := func(text string) {
		t.Helper()
		_, reason := scanAll(text)
		if got, want := reason == "", json.Valid([]byte(text)) && strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{"); got != want {
			t.Errorf("%q: accepted %v, encoding/json %v", text, got, want)
		}
	}
	for _, seed := range seeds {
		agree(seed)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 60_000 {
		agree(mutate(random, seeds[random.IntN(len(seeds))]))
	}
}

// seeds are lines to mutate.
var seeds = []string{
	`{}`, ` { } `, `{"":""}`, `{"a":1,"b":-0.5e+10,"c":[1,[2,{"d":null}],"x"],"e":{"f":{}},"g":true,"h":false}`,
	`{"timestamp":"2026-01-15T08:00:00.123456Z","level":"INFO","message":"a \"b\" \\ \u00e9 \ud83d\ude00","status":200}`,
	`{"a":"naïve 日本語 😀","b":[],"c":[[],[[]]],"d":"\u0000\ud800x\udc00"}`,
	"{\"a\":\"\xff\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80ok\",\"\xfe\":1}",
	`{"n":[0,-0,1E5,1e-400,12345678901234567890123456789012345678901234567890123456789012345678901234567890]}`,
	`{"level":50,"time":1768464000123,"pid":1,"hostname":"h","err":{"type":"Error","message":"m","stack":"Error: m\n  at x"}}`,
	`{"a":1,"a":2,"a":{"a":1,"a":2}}`, `{"a":{"b":{"c":{"d":[[[[[[[[1]]]]]]]]}}}}`,
	`{"endpoint":"/users/123?x=1","method":"GET","status":"200","response_time":"1.5ms","client_ip":"192.0.2.1:80"}`,
}

// mutate changes text in one to four places.
func mutate(random *rand.Rand, text string) string {
	const bytesOfInterest = "{}[]\",:\\ \n\t\x00\x1f\x7f\xff\xc3\xa90129.eE+-utfn/aA\u2028"
	b := []byte(text)
	for range 1 + random.IntN(4) {
		i := random.IntN(len(b) + 1)
		switch c := bytesOfInterest[random.IntN(len(bytesOfInterest))]; random.IntN(4) {
		case 0:
			b = bytes.Join([][]byte{b[:i], b[i:]}, []byte{c})
		case 1:
			b = b[:max(i, 1)]
		case 2:
			b[min(i, len(b)-1)] = c
		default:
			j := min(i+random.IntN(8), len(b))
			b = append(bytes.Clone(b[:j]), b[i:]...)
		}
	}
	return string(b)
}

func TestScanNoticesOddities(t *testing.T) {
	t.Parallel()
	f := func(text string, want bool) {
		t.Helper()
		s, reason := scanAll(text)
		if reason != "" || s.odd != want {
			t.Errorf("%.80q: odd %v, want %v (reason %q)", text, s.odd, want, reason)
		}
	}
	deep := func(levels int) string { // counts the object itself
		return `{"a":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`
	}
	f(`{"a":"\\u0000"}`, false)
	f(`{"a":"\u0000"}`, true)
	f(`{"\u0000":1}`, true)
	f(`{"a":[{"b":"\u0000"}]}`, true)
	f(`{"a":[{"\u0000":1}]}`, true)
	f(`{"a":"\ud83d\ude00"}`, false)
	f(`{"a":"\uD83D\uDE00"}`, false)
	f(`{"a":"\ud83d"}`, true)
	f(`{"a":"\ude00\ud83d"}`, true)
	f(`{"a":"\ud83dx\ude00"}`, true)
	f(`{"a":"\ud83d\ud83d\ude00"}`, true)
	f(`{"a":"\uffff"}`, false)
	f("{\"a\":\"\uffff\u2028\x7f\u0085\"}", false)
	f("{\"a\":\"1234567\xff\"}", true)
	f("{\"a\":\"\xc0\xaf\"}", true)
	f("{\"a\":\"\xed\xa0\x80\"}", true)
	f("{\"a\":\"\xf4\x90\x80\x80\"}", true)
	f(`{"a":1e308}`, false)
	f(`{"a":1e309}`, true)
	f(`{"a":1e-324}`, false)
	f(`{"a":1e-325}`, true)
	f(`{"a":1e99999999999999999999}`, true)
	f(`{"a":1e0000000000000000001}`, false)
	f(`{"a":`+strings.Repeat("9", 64)+`}`, false)
	f(`{"a":`+strings.Repeat("9", 65)+`}`, true)
	f(`{"a":0.`+strings.Repeat("9", 64)+`}`, true)
	f(deep(64), false)
	f(deep(65), true)
	f(`{"`+strings.Repeat("k", 256)+`":1}`, false)
	f(`{"`+strings.Repeat("k", 257)+`":1}`, true)
	f(manyKeys(256), false)
	f(manyKeys(257), true)
	f(`{"a":`+manyKeys(1023)+`}`, false)
	f(`{"a":`+manyKeys(1024)+`}`, true)
}

// manyKeys returns an object with n keys.
func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"k`)
		b.WriteString(strings.Repeat("x", i%7))
		b.WriteString(string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)))
		b.WriteString(`":1`)
	}
	return "{" + strings.TrimPrefix(b.String(), ",") + "}"
}

// A scanner that has learned one shape finds the same members in lines of any other.
func TestScanForgetsNoKeyOfAnotherShape(t *testing.T) {
	t.Parallel()
	used := newScanner(standardNames)
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		line := seeds[random.IntN(len(seeds))]
		if random.IntN(3) == 0 {
			line = mutate(random, line)
		}
		fresh, reason := scanAll(line)
		if reason != "" {
			continue
		}
		p := []byte(line)
		used.object(p, skipBlank(p, 0))
		if len(used.members) != len(fresh.members) || used.odd != fresh.odd || used.repeats != fresh.repeats {
			t.Fatalf("%q: %d members, odd %v, repeats %v; a fresh scanner: %d, %v, %v", line,
				len(used.members), used.odd, used.repeats, len(fresh.members), fresh.odd, fresh.repeats)
		}
		for i := range used.members {
			got, want := used.members[i], fresh.members[i]
			got.chain, want.chain = 0, 0
			if got != want {
				t.Fatalf("%q: member %d is %+v; a fresh scanner: %+v", line, i, got, want)
			}
		}
	}
}
