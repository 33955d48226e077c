package file

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// headSizeMax is how much of a file's beginning names its content.
const headSizeMax = 1 << 10

// A place is where content lies: an inode of a file system.
type place struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

// A mark is the hash and the length of some bytes.
type mark struct {
	Hash string `json:"hash,omitempty"` // xxHash64, 16 hexadecimal digits
	Len  int    `json:"len"`
}

func markOf(p []byte) mark {
	if len(p) == 0 {
		return mark{}
	}
	return mark{Hash: fmt.Sprintf("%016x", xxhash.Sum64(p)), Len: len(p)}
}

// A milestone is a position in a content and the mark of the bytes before it.
type milestone struct {
	pos    int64
	anchor mark
}

// in reports whether src has m's bytes before its position.
func (m milestone) in(src io.ReaderAt) bool {
	p, err := readBefore(src, m.pos)
	return err == nil && m.anchor.ends(p)
}

// of reports whether p has m's bytes.
func (m mark) of(p []byte) bool { return m.Len == len(p) && markOf(p) == m }

// ends reports whether p ends with m's bytes.
func (m mark) ends(p []byte) bool { return len(p) >= m.Len && m.of(p[len(p)-m.Len:]) }

// readHead returns up to headSizeMax first bytes of src.
func readHead(src io.ReaderAt) ([]byte, error) {
	p := make([]byte, headSizeMax)
	n, err := src.ReadAt(p, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return p[:n:n], nil
}

// keyPrefix begins the source keys of all files of host.
func keyPrefix(host string) string { return "file:" + host + "/" }

// inodePrefix begins the source keys of the streams that began at p.
func inodePrefix(host string, p place) string {
	return fmt.Sprintf("%s%d:%d#", keyPrefix(host), p.Device, p.Inode)
}

func keyOf(host string, p place, generation int) string {
	return inodePrefix(host, p) + strconv.Itoa(generation)
}

// parseKey is the inverse of keyOf.
func parseKey(host, key string) (p place, generation int, ok bool) {
	rest, ok := strings.CutPrefix(key, keyPrefix(host))
	if !ok {
		return p, 0, false
	}
	_, err := fmt.Sscanf(rest, "%d:%d#%d", &p.Device, &p.Inode, &generation)
	return p, generation, err == nil
}
