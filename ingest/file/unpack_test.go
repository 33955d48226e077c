package file

import (
	"strings"
	"testing"
)

// A content that ends before a position it is asked for is still known by its end, and not equal to all that begins alike.
func TestDigestOfShorterContent(t *testing.T) {
	for _, size := range []int{10, 1000, 2000, 200_000} {
		content := strings.Repeat("x", size-3) + "end"
		d, err := digestOf(strings.NewReader(content), func([]byte) []int64 { return []int64{int64(size) + 5000} })
		if err != nil {
			t.Fatal(err)
		}
		if d.size != int64(size) || string(d.tail) != content[max(0, size-anchorSize):] {
			t.Errorf("%d bytes: the digest has size %d and tail %q", size, d.size, d.tail)
		}
	}
}
