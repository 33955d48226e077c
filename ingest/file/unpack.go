package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// zstdWindow bounds the memory of one zstd decoder; frames that want more are refused.
const zstdWindow = 64 << 20

// Unpack returns the content of src as lines are read from it: decompressed, where it begins as gzip or zstd does. UTF-16
// is an error. The caller closes it, which leaves src open.
func Unpack(src io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(src, 64<<10)
	head, err := buffered.Peek(minLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if reason := foreign(head); reason != "" {
		return nil, errors.New(reason)
	}
	return unpack(buffered, packingOf(head))
}

// unpack returns the decompressed content of src. The caller closes it.
func unpack(src io.Reader, p packing) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(src, 256<<10)
	switch p {
	case gzipped:
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return z, nil
	case zstandard:
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return z.IOReadCloser(), nil
	default:
		return io.NopCloser(src), nil
	}
}

// A lazyReader unpacks src from the first Read on, so that a file that has to wait its turn has no decoder yet.
type lazyReader struct {
	src     io.Reader
	packing packing
	z       io.Reader
}

func (r *lazyReader) Read(p []byte) (int, error) {
	if r.z == nil {
		var err error
		if r.z, err = unpack(r.src, r.packing); err != nil {
			return 0, err
		}
	}
	return r.z.Read(p)
}

// A contextReader fails when its context has ended.
type contextReader struct {
	ctx context.Context
	src io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.src.Read(p)
}

// A digest is what one pass over a content found.
type digest struct {
	head    []byte
	tail    []byte // the last up to anchorSize bytes
	size    int64
	anchors map[int64][]byte // the bytes before each position asked for, and each of trails, that the content reaches
}

// has reports whether the content has m's bytes.
func (d *digest) has(m milestone) bool {
	p, ok := d.anchors[m.pos]
	return (ok || m.pos == 0) && m.anchor.ends(p)
}

// covers reports whether it was asked for all of positions that the content reaches.
func (d *digest) covers(positions []int64) bool {
	return !slices.ContainsFunc(positions, func(pos int64) bool {
		_, asked := d.anchors[pos]
		return pos > 0 && pos <= d.size && !asked
	})
}

// end is where the content ends.
func (d *digest) end() milestone { return milestone{pos: d.size, anchor: markOf(d.tail)} }

// withTrail returns the positions, which are in rising order, and those of trails that are beyond the head.
func withTrail(positions []int64) []int64 {
	for i := headSizeMax / trailStep; i < trailEnd; i++ {
		positions = append(positions, trailPosition(i))
	}
	slices.Sort(positions)
	return slices.Compact(positions)
}

// digestOf reads src to its end. wanted is called with the head and names the positions whose anchors are needed,
// in rising order.
func digestOf(src io.Reader, wanted func(head []byte) []int64) (digest, error) {
	w := &window{src: src}
	head, err := readHead(w)
	if err != nil {
		return digest{}, err
	}
	d := digest{head: head, anchors: map[int64][]byte{}}
	for _, pos := range withTrail(wanted(head)) {
		anchor, err := readBefore(w, pos)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return digest{}, err
		}
		d.anchors[pos] = anchor
	}
	for {
		d.size = w.base + int64(len(w.buf))
		d.tail = append(d.tail, w.buf[max(0, len(w.buf)-anchorSize):]...)
		d.tail = d.tail[:copy(d.tail, d.tail[max(0, len(d.tail)-anchorSize):])]
		if w.err != nil {
			break
		}
		if err := w.slide(d.size); err != nil {
			break
		}
		w.fill(64 << 10)
	}
	if !errors.Is(w.err, io.EOF) {
		return digest{}, w.err
	}
	return d, nil
}
