package file

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// The index finds what looking at every file finds, whatever is added, changed and removed.
func TestHeadsAlike(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	head := func() []byte {
		p := make([]byte, random.IntN(6))
		for i := range p {
			p[i] = "ab"[random.IntN(2)]
		}
		return p
	}
	var index heads
	var all []*openFile
	found := 0
	for step := range 5000 {
		switch n := random.IntN(4); {
		case n < 2 || len(all) == 0:
			f := &openFile{place: place{Device: 1, Inode: uint64(step)}}
			index.set(f, head())
			all = append(all, f)
		case n == 2:
			index.set(all[random.IntN(len(all))], head())
		default:
			i := random.IntN(len(all))
			index.remove(all[i])
			all = slices.Delete(all, i, i+1)
		}
		asked := head()
		if len(asked) == 0 {
			continue
		}
		var want []*openFile
		for _, f := range all {
			if n := min(len(f.head), len(asked)); n > 0 && bytes.Equal(f.head[:n], asked[:n]) {
				want = append(want, f)
			}
		}
		got := slices.Collect(index.alike(asked))
		found += len(got)
		byInode := func(a, b *openFile) int { return int(a.Inode) - int(b.Inode) }
		slices.SortFunc(got, byInode)
		slices.SortFunc(want, byInode)
		if !slices.Equal(got, want) {
			t.Fatalf("step %d, head %q: %d files, not %d", step, asked, len(got), len(want))
		}
	}
	if found == 0 {
		t.Error("nothing was ever alike")
	}
}
