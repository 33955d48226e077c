package file

import (
	"context"
	"io"
)

// examine makes the digest of a compressed file and calls then.
func (k *keeper) examine(f *openFile, then func(*openFile)) {
	if f.packing == plain {
		then(f)
		return
	}
	f.state = placing
	byHead := k.rows.positions()
	for _, c := range k.files {
		if (c.state == held || c.row == nil && c.undecided() || c.row != nil && c.whole > 0) && c.packing == plain { // of which f may have all
			m := markOf(c.head)
			byHead[m] = append(byHead[m], c.size)
		}
	}
	k.digesting++
	k.do(func() func() {
		var d digest
		err := k.unpacking.enter(k.ctx)
		if err == nil {
			d, err = digestFile(k.ctx, f.handle, f.packing, byHead)
			k.unpacking.leave()
		}
		return func() {
			k.digesting--
			if err != nil {
				k.incomplete(f, err)
				return
			}
			f.digest = &d
			k.setHead(f, d.head)
			then(f)
		}
	})
}

// digestFile unpacks handle once.
func digestFile(ctx context.Context, handle io.ReaderAt, p packing, byHead positions) (digest, error) {
	z, err := unpack(contextReader{ctx, io.NewSectionReader(handle, 0, 1<<62)}, p)
	if err != nil {
		return digest{}, err
	}
	defer z.Close()
	return digestOf(z, byHead.of)
}

// incomplete waits for a compressed file that cannot be unpacked to its end: it is probably being written.
func (k *keeper) incomplete(f *openFile, err error) {
	if f.since.IsZero() {
		f.since = k.Clock.Now()
	}
	f.state, f.original = held, nil
	if k.Clock.Now().Sub(f.since) >= k.CopyWait {
		f.state = refused
		k.Log.Error("file is not read", "path", f.path, "error", err)
	}
}
