package analyze

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Masking what is masked changes nothing, valid UTF-8 stays valid, the id is that of the text, and digits within a
// number do not matter.
func FuzzMask(f *testing.F) {
	for _, s := range benchMessages {
		f.Add(s)
	}
	for _, s := range []string{
		"((((", "''''", "'a 'a 'a", "dead()beef 5", "a (5) (6) 7", "<num()> <5> <<5", "x= (5)'b c'", "[[1],[2]]()", ",,(5),,(6)",
		"5 Apr, Wed 17", "user= x for user 5", "a.b().c.d", "::::", "[::]:1", "a:b:c:1:2", "0x", "5 (6) KB", "\"a\":\"b\"",
		"\x00\xff\xfe", "µs 5µs", "C:\\", "//", "?=?=", "http://a?b=[c]", "'SELECT a FROM \"T1\" WHERE x IN (1,2),(3) /* x */ AND y=$1 -- z\n, ? 'b''c'' d",
		"SELECT\x01FROM 0", " SELECT 0 FROM 00?", "updAte 0A set ", " SELECT 0 FROM 00--", "SELECT FROM 0Y", "update SET set 5'x", "insert into t'(1), 'a' ('b'", "'SELECT a FROM \"T1\" WHERE x IN (1,2),(3) /* x */ AND y=$1 -- z\n, ? 'b''c'' d",
		"update SET set 5'x", "insert into t'(1), 'a' ('b'", "1e", "1e+", "%5%", "$5 #5 a$b$c1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 512 {
			return
		}
		text, id := masked(s)
		if utf8.ValidString(s) && !utf8.ValidString(text) {
			t.Fatalf("masked(%q) = %q is no UTF-8", s, text)
		}
		if hasLongWord(s) || hasLongWord(text) {
			return // such words are data, their border is not kept
		}
		if strings.Contains(s, "#") || strings.Count(s, "'")%2 > 0 {
			return // what looks masked already may join what is; a quotation without end may hide the end of a statement
		}
		again, idAgain := masked(text)
		if again != text || idAgain != id {
			t.Fatalf("masked(%q) = %q, masked again %q", s, text, again)
		}
	})
}

func hasLongWord(s string) bool {
	for w := range strings.FieldsSeq(s) {
		if len(w) > maxWord {
			return true
		}
	}
	return false
}
