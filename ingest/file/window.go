package file

import (
	"fmt"
	"io"
)

// A window lets a stream that can only be read forward be read by position: it remembers what was asked for last and
// anchorSize bytes before that. It is what lets the block reader read compressed files and standard input.
type window struct {
	src  io.Reader
	buf  []byte
	base int64 // position of buf[0]
	err  error // what src ended with

	eager bool  // do not wait for more than is there; ReadAt then returns less than asked for without an error
	seen  int64 // the end of what was returned last
}

// ReadAt fills p from position off. It fails when off is before the window.
func (w *window) ReadAt(p []byte, off int64) (int, error) {
	if off < w.base {
		return 0, fmt.Errorf("position %d has left the window at %d", off, w.base)
	}
	if err := w.slide(max(off-anchorSize, w.base)); err != nil {
		return 0, err
	}
	skip := int(off - w.base)
	w.fill(skip + len(p))
	if len(w.buf) <= skip {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, w.err
	}
	n := copy(p, w.buf[skip:])
	w.seen = off + int64(n)
	if n < len(p) {
		return n, w.err
	}
	return n, nil
}

// slide drops what lies before position to. If the source ends before that, the last anchorSize bytes stay.
func (w *window) slide(to int64) error {
	for {
		n := to - w.base
		if n > int64(len(w.buf)) {
			n = int64(max(0, len(w.buf)-anchorSize))
		}
		w.buf = w.buf[:copy(w.buf, w.buf[n:])]
		w.base += n
		if w.base >= to {
			return nil
		}
		before := len(w.buf)
		if w.fill(before + 64<<10); len(w.buf) == before {
			return w.err
		}
	}
}

// fill reads until the window holds n bytes or the source ends. An eager window is content with one byte that was not
// seen yet.
func (w *window) fill(n int) {
	if cap(w.buf) < n {
		w.buf = append(make([]byte, 0, n+n/4), w.buf...)
	}
	for len(w.buf) < n && w.err == nil {
		if w.eager && w.base+int64(len(w.buf)) > w.seen {
			return
		}
		var got int
		got, w.err = w.src.Read(w.buf[len(w.buf):n])
		w.buf = w.buf[:len(w.buf)+got]
	}
}
