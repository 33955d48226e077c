package parse

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRepair(t *testing.T) {
	t.Parallel()
	f := func(text, want string) {
		t.Helper()
		r := repairer{scan: newScanner(standardNames)}
		if got := string(r.object(nil, []byte(text))); got != want {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
	f(`{"a":"x\u0000y"}`, `{"a":"x�y"}`)
	f(`{"a\u0000":[{"b":"\u0000"},1]}`, `{"a�":[{"b":"�"},1]}`)
	f(`{"a":"\\u0000\u0000"}`, `{"a":"\\u0000�"}`)
	f(`{"a":"\ud800 \udc00 \ud83d\ude00 \udc00\ud800"}`, `{"a":"� � \ud83d\ude00 ��"}`)
	f("{\"a\":\"x\xff\xfe\xfdy\xffz\"}", `{"a":"x�y�z"}`)
	f("{\"a\":\"\xed\xa0\xbd\xed\xb8\x80\"}", `{"a":"�"}`)
	f(`{ "a" : 1e999999 , "b" : [ -1e-999999 , 5 ] }`, `{"a":"1e999999","b":["-1e-999999",5]}`)
	f(`{"a":"keep \n é 日本","b":1.50,"c":true,"d":1e999}`, `{"a":"keep \n é 日本","b":1.50,"c":true,"d":"1e999"}`)
	f(`{"`+strings.Repeat("k", 257)+`":"v\"","b":2}`, `{"b":2,"_overflow":"\"`+strings.Repeat("k", 257)+`\":\"v\\\"\""}`)
	f(`{"`+strings.Repeat("k", 257)+`":1}`, `{"_overflow":"\"`+strings.Repeat("k", 257)+`\":1"}`)
	f(`{"a":{"`+strings.Repeat("k", 257)+`":1,"c":2}}`, `{"a":{"c":2},"_overflow":"\"`+strings.Repeat("k", 257)+`\":1"}`)
	deep := strings.Repeat("[", 70) + `"\n"` + strings.Repeat("]", 70)
	f(`{"a":`+deep+`}`, `{"a":`+strings.Repeat("[", 63)+`"`+deep[63:70]+`\"\\n\"`+deep[74:81]+`"`+strings.Repeat("]", 63)+`}`)
}

// A repaired object is valid, within the limits, and nothing in it is odd.
func TestRepairKeepsLimits(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		manyKeys(257), manyKeys(1000), manyKeys(100_000), `{"a":` + manyKeys(5000) + `,"b":` + manyKeys(10) + `}`,
		`{"a":` + strings.Repeat(`{"a":`, 2000) + `1` + strings.Repeat("}", 2000) + `}`,
	} {
		r := repairer{scan: newScanner(standardNames)}
		out := r.object(nil, []byte(text))
		if !json.Valid(out) {
			t.Fatalf("%.60s…: not valid: %.200s", text, out)
		}
		s, reason := scanAll(string(out))
		if reason != "" || len(s.members) > maxMembers+1 || s.keys > maxKeys+1 {
			t.Errorf("%.60s…: %d members, %d keys, reason %q", text, len(s.members), s.keys, reason)
		}
		if !strings.Contains(string(out), `"_overflow":`) && !strings.HasPrefix(text, `{"a":{"a":`) {
			t.Errorf("%.60s…: nothing was kept of the surplus", text)
		}
	}
}
