package file

import (
	"encoding/json"
	"fmt"
)

// notes is what a position row says about its stream in meta: where the bytes lie and how to know them again.
type notes struct {
	Path  string `json:"path"`  // absolute; the name the file has now, as far as is known
	Found string `json:"found"` // the name by which an input found it last
	place
	Head    mark    `json:"head"`              // the first up to 1 KiB, growing while the file is shorter
	Anchor  mark    `json:"anchor"`            // the up to 128 bytes before the position
	Trail   trail   `json:"trail,omitempty"`   // how to know a copy that is shorter than the position
	Size    int64   `json:"size"`              // when last looked at
	Start   int64   `json:"start,omitempty"`   // where reading begins; the position is moved there first
	Packing packing `json:"packing,omitempty"` // how the file is compressed; positions count decompressed bytes
	Packed  int64   `json:"packed,omitempty"`  // size of the compressed file when it was read to its end
	Closed  bool    `json:"closed"`            // read to its end and finished
}

// matches reports whether content whose first bytes are head can be the stream's: the bytes that the row knew are
// still its first ones. A row that knew none matches nothing.
func (n *notes) matches(head []byte) bool {
	return n.Head.Len > 0 && len(head) >= n.Head.Len && n.Head.of(head[:n.Head.Len])
}

// lieIn says that the bytes lie in f, to be read.
func (n *notes) lieIn(f *openFile) {
	n.place, n.Path, n.Found, n.Packing, n.Closed = f.place, f.path, f.found, f.packing, false
}

func (n *notes) encode() []byte {
	p, err := json.Marshal(n)
	if err != nil {
		panic("encode notes: " + err.Error()) // strings and numbers always encode
	}
	return p
}

func decodeNotes(meta []byte) (notes, error) {
	var n notes
	if len(meta) == 0 {
		return n, nil
	}
	if err := json.Unmarshal(meta, &n); err != nil {
		return n, fmt.Errorf("decode meta: %w", err)
	}
	return n, nil
}
