package file

import "bytes"

var (
	byteOrderMark = []byte{0xEF, 0xBB, 0xBF}
	utf16LE       = []byte{0xFF, 0xFE}
	utf16BE       = []byte{0xFE, 0xFF}
	gzipMagic     = []byte{0x1F, 0x8B}
	zstdMagic     = []byte{0x28, 0xB5, 0x2F, 0xFD}
)

// skipPreamble returns the index in arena behind what may stand before the first line: a byte order mark, or the run
// of NUL bytes that a file starts with when it was truncated under a writer that does not append (such a writer goes
// on at its old offset and leaves a hole). The run may be longer than a block: a position inside it is known by the
// NUL before it, where every other position follows a newline.
func (r *blockReader) skipPreamble(arena []byte, lead int) int {
	if r.pos == 0 && bytes.HasPrefix(arena, byteOrderMark) {
		return len(byteOrderMark)
	}
	if r.pos > 0 && r.anchor[lead-1] != 0 {
		return lead
	}
	at := lead
	for at < len(arena) && arena[at] == 0 {
		at++
	}
	r.nuls += int64(at - lead)
	return at
}

// foreign says why content that starts with head cannot be read as lines, or "".
func foreign(head []byte) string {
	if bytes.HasPrefix(head, utf16LE) || bytes.HasPrefix(head, utf16BE) {
		return "the file is UTF-16 (byte order mark); only UTF-8 is read"
	}
	return ""
}

// packing is how a file's content is compressed.
type packing string

const (
	plain     packing = ""
	gzipped   packing = "gzip"
	zstandard packing = "zstd"
	minLen            = 4 // bytes needed to tell
)

// packingOf tells by its first bytes how a file is compressed.
func packingOf(head []byte) packing {
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		return gzipped
	case bytes.HasPrefix(head, zstdMagic):
		return zstandard
	}
	return plain
}
