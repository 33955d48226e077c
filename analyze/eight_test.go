package analyze

import (
	"strings"
	"testing"
)

func TestEight(t *testing.T) {
	t.Parallel()
	const s = "0123456789abcdefgh"
	for n := range len(s) + 1 {
		for i := range n + 1 {
			want := s[i:min(n, i+8)]
			want += strings.Repeat("\x00", 8-len(want))
			got := eight(s[:n], i)
			for k := range 8 {
				if byte(got>>(8*k)) != want[k] {
					t.Fatalf("eight(%q, %d) = %#x, want the bytes %q", s[:n], i, got, want)
				}
			}
		}
	}
}

// Every byte is told in every place, whatever stands beside it.
func TestLetters(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for place := range 8 {
			for _, beside := range []string{"a", "z", "A", "Z", "f", "\x00", "\xff"} {
				text := []byte(strings.Repeat(beside, 8))
				text[place] = byte(c)
				n := 0
				for n < 8 && classes[text[n]]&letter != 0 {
					n++
				}
				x := load(text, 0)
				if got := leadingLetters(x); got != n {
					t.Fatalf("%q begins with %d letters, not %d", text, n, got)
				}
				if hex := classOf(string(text)) == hexLetter; n == 8 && mayBeHex(x) != hex {
					t.Fatalf("mayBeHex(%q) = %v", text, !hex)
				}
			}
		}
	}
}

func TestWordSet(t *testing.T) {
	t.Parallel()
	words := setOf("a ab abcdefgh abcdefghi x86_64 utf-8")
	for _, w := range strings.Fields("a AB abcdefgh ABCDEFGHI X86_64 Utf-8 abcdefghxyz") {
		if !words.has(wordKey(eight(w+" more of it", 0), len(w))) {
			t.Errorf("%q is not in the set", w)
		}
	}
	for _, w := range strings.Fields("b abc abcdefg bcdefghi x86 utf8 ab-") {
		if words.has(wordKey(eight(w+" more of it", 0), len(w))) {
			t.Errorf("%q is in the set", w)
		}
	}
}
