package file

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
)

// heads are the open files in order of their heads. It finds those that begin alike without looking at all: thousands
// of files that appear at once are each compared with the few that matter.
type heads []*openFile

func compareHeads(a, b *openFile) int {
	return cmp.Or(bytes.Compare(a.head, b.head), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Inode, b.Inode))
}

// setHead gives f its head. One that was let go meanwhile is nobody's likeness any more.
func (k *keeper) setHead(f *openFile, head []byte) {
	if k.files[f.place] != f {
		f.head = head
		return
	}
	k.heads.set(f, head)
}

// set gives f its head.
func (h *heads) set(f *openFile, head []byte) {
	h.remove(f)
	f.head = head
	if len(head) == 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(*h, f, compareHeads)
	*h = slices.Insert(*h, at, f)
}

func (h *heads) remove(f *openFile) {
	if at, found := slices.BinarySearchFunc(*h, f, compareHeads); found && (*h)[at] == f {
		*h = slices.Delete(*h, at, at+1)
	}
}

// from returns the index of the first file whose head is not below head.
func (h heads) from(head []byte) int {
	at, _ := slices.BinarySearchFunc(h, head, func(f *openFile, head []byte) int { return bytes.Compare(f.head, head) })
	return at
}

// alike returns the files of which either the head begins with head or head begins with theirs.
func (h heads) alike(head []byte) iter.Seq[*openFile] {
	return func(yield func(*openFile) bool) {
		begin := h.from(head)
		for _, f := range h[begin:] {
			if !bytes.HasPrefix(f.head, head) {
				break
			}
			if !yield(f) {
				return
			}
		}
		// What is a beginning of head stands before it, and is one of what stands between.
		for before, at := head, begin; at > 0; at = h.from(before) {
			before = before[:shared(before, h[at-1].head)]
			if len(before) == 0 {
				return
			}
			for _, f := range h[h.from(before):] {
				if !bytes.Equal(f.head, before) {
					break
				}
				if !yield(f) {
					return
				}
			}
		}
	}
}

// shared returns how many first bytes a and b have in common.
func shared(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
