package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"

	"logflume/pipeline"
)

// An importRun is the running part of an [Import]. One file is read at a time, by whoever has the turn; waiting for
// the last commit needs no turn.
type importRun struct {
	ImportOptions
	in   *pipeline.Intake
	rows *rows // belongs to who has the turn
	turn turns
}

// item imports one file. The caller has the turn and gives it away.
func (m *importRun) item(ctx context.Context, it *item) error {
	if it.path == StandardInput {
		return m.stdin(ctx, it)
	}
	for {
		r, err := m.readFile(ctx, it)
		m.turn.leave()
		if err == nil && r != nil {
			err = r.stream.WaitCommitted(ctx, r.position())
		}
		if !errors.Is(err, pipeline.ErrMoved) || errors.Is(err, pipeline.ErrPaused) {
			return err
		}
		// Somebody else reads the file too, or an answer was lost: go on at the stored position.
		select {
		case <-m.Clock.After(restMoved + rand.N(4*restMoved)):
		case <-ctx.Done():
		}
		if err := m.turn.enter(ctx); err != nil {
			return err
		}
		if r != nil {
			if err := m.refresh(ctx, r.stream.Key); err != nil {
				m.turn.leave()
				return err
			}
		}
	}
}

// readFile reads what no stream has read of the file yet. It returns a nil reading when that is nothing.
func (m *importRun) readFile(ctx context.Context, it *item) (*reading, error) {
	handle, info, err := open(it.path)
	if err != nil {
		return nil, err
	}
	defer handle.Close()
	f := &openFile{place: placeOf(info), handle: handle, path: it.path, found: it.path, size: info.Size()}
	if f.head, err = readHead(handle); err != nil {
		return nil, fmt.Errorf("read %s: %w", it.path, err)
	}
	if len(f.head) == 0 {
		return nil, nil
	}
	if reason := foreign(f.head); reason != "" {
		return nil, fmt.Errorf("read %s: %s", it.path, reason)
	}
	f.packing = packingOf(f.head)
	it.packed.Store(f.packing != plain)
	row, err := m.rowOf(ctx, f)
	if err != nil || row == nil {
		return nil, err // nothing is left to read, if it is no error
	}
	r, err := m.readAs(ctx, it, f, row)
	if err != nil {
		return r, fmt.Errorf("read %s: %w", it.path, err)
	}
	return r, nil
}

// rowOf finds the stream that f's bytes belong to, or begins one. It returns nil when nothing of f is left to read.
func (m *importRun) rowOf(ctx context.Context, f *openFile) (*row, error) {
	if err := m.refresh(ctx, inodePrefix(m.Host, f.place)); err != nil {
		return nil, err
	}
	if f.packing != plain {
		for _, r := range m.rows.here(f.place) {
			if r.Closed && r.Packed == f.size && r.Path == f.path {
				return nil, nil
			}
		}
		if err := m.digest(ctx, f); err != nil {
			return nil, fmt.Errorf("read %s: %w", f.path, err)
		}
	}
	for _, r := range m.rows.here(f.place) {
		if f.holds(r) {
			return r, nil
		}
	}
	for _, r := range m.rows.vacant(f.head) {
		if !f.continues(r) {
			continue
		}
		switch other, err := r.differs(ctx, f); {
		case err != nil:
			return nil, err
		case !other:
			return m.claim(ctx, f, r)
		}
	}
	n := notes{Head: markOf(f.head), Size: f.size}
	n.lieIn(f)
	c, err := m.in.Checkpoints.Create(ctx, m.rows.nextKey(f.place), n.encode())
	if err != nil {
		return nil, fmt.Errorf("insert the position of %s: %w", f.path, err)
	}
	return m.rows.put(c)
}

// digest unpacks f once, if any known stream may be in it.
func (m *importRun) digest(ctx context.Context, f *openFile) error {
	byHead := m.rows.positions()
	z, err := unpack(io.NewSectionReader(f.handle, 0, f.size), f.packing)
	if err != nil {
		return err
	}
	f.head, err = readHead(&window{src: z})
	z.Close()
	if err != nil || len(byHead.of(f.head)) == 0 {
		return err
	}
	d, err := digestFile(ctx, f.handle, f.packing, byHead)
	f.digest = &d
	return err
}

// claim goes on with r, which was read somewhere else. If its bytes are still there as well, f is a copy, and the row
// stays where it is.
func (m *importRun) claim(ctx context.Context, f *openFile, r *row) (*row, error) {
	m.Log.Info("file holds a stream that is known", "path", f.path, "source", r.Key, "read_as", r.Path, "position", r.Position)
	if r.stillThere() {
		return r, nil
	}
	n := r.notes
	n.lieIn(f)
	c, err := m.in.Checkpoints.Amend(ctx, r.Checkpoint, pipeline.Amendment{Meta: n.encode(), Fence: true})
	if errors.Is(err, pipeline.ErrMoved) {
		if err := m.refresh(ctx, r.Key); err != nil {
			return nil, err
		}
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("continue a stream with %s: %w", f.path, err)
	}
	return m.rows.put(c)
}

// differs reports whether f, which begins and ends like the stream of r, has other bytes in between. That can be told
// while the stream's own file is there, and both are plain.
func (r *row) differs(ctx context.Context, f *openFile) (bool, error) {
	if r.Packing != plain || f.packing != plain || !r.stillThere() {
		return false, nil
	}
	own, _, err := open(r.Path)
	if err != nil {
		return false, nil
	}
	defer own.Close()
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); at < r.Position; at += int64(len(a)) {
		n := min(r.Position-at, int64(len(a)))
		if _, err := own.ReadAt(a[:n], at); err != nil {
			return false, fmt.Errorf("read %s: %w", r.Path, err)
		}
		if _, err := f.handle.ReadAt(b[:n], at); err != nil {
			return false, fmt.Errorf("read %s: %w", f.path, err)
		}
		if !bytes.Equal(a[:n], b[:n]) {
			return true, nil
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// stillThere reports whether the row's bytes lie where it says.
func (r *row) stillThere() bool {
	handle, info, err := open(r.Path)
	if err != nil {
		return false
	}
	defer handle.Close()
	if placeOf(info) != r.place {
		return false
	}
	if r.Packing != plain {
		return info.Size() == r.Packed
	}
	head, err := readHead(handle)
	return err == nil && r.matches(head) && milestone{pos: r.Position, anchor: r.Anchor}.in(handle)
}

// refresh reads the rows with that prefix again.
func (m *importRun) refresh(ctx context.Context, prefix string) error {
	list, err := m.in.Checkpoints.List(ctx, prefix, false)
	if err != nil {
		return fmt.Errorf("list the positions of %s: %w", prefix, err)
	}
	for _, c := range list {
		if _, err := m.rows.put(c); err != nil {
			return fmt.Errorf("position row %s: %w", c.Key, err)
		}
	}
	return nil
}

// readAs reads f from the position of row to the size it had when it was opened.
func (m *importRun) readAs(ctx context.Context, it *item, f *openFile, row *row) (*reading, error) {
	r := newReading(m.in, row.Checkpoint, row.notes, it.content(ctx, f), f.head, m.framing())
	defer func() { r.lines.src = nil }() // the reading is kept for its position, what it reads from may be large
	if f.packing == plain {
		r.end = f.size
	}
	it.now.Store(r)
	m.in.Active(1)
	defer m.in.Active(-1)
	if _, err := r.drain(ctx, false); err != nil {
		return r, err
	}
	defer func() { row.Position, row.notes = r.position(), r.notes }()
	if info, err := f.handle.Stat(); err != nil || f.packing == plain && info.Size() != f.size {
		return r, err // it is being written: its last line is not finished
	}
	if f.packing != plain {
		r.notes.Packed = f.size
	}
	if _, err := r.drain(ctx, true); err != nil {
		return r, err
	}
	if r.position() == row.Position && row.Closed {
		return r, nil
	}
	r.notes.Closed = true
	return r, r.note(ctx, r.position())
}

// content returns what lines are read from, counting the bytes that are unpacked.
func (it *item) content(ctx context.Context, f *openFile) io.ReaderAt {
	if f.packing == plain {
		return f.handle
	}
	it.raw.Store(0)
	packed := contextReader{ctx, io.NewSectionReader(f.handle, 0, f.size)}
	return &window{src: &lazyReader{src: &countingReader{src: packed, n: &it.raw}, packing: f.packing}}
}

// A countingReader counts what passes.
type countingReader struct {
	src io.Reader
	n   *atomic.Int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	r.n.Add(int64(n))
	return n, err
}
