package file

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"
)

// stdin imports standard input, as a new stream each time. The caller has the turn and gives it away.
func (m *importRun) stdin(ctx context.Context, it *item) error {
	r, err := m.readStdin(ctx, it)
	m.turn.leave()
	if err == nil {
		err = r.stream.WaitCommitted(ctx, r.position())
	}
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	return nil
}

func (m *importRun) readStdin(ctx context.Context, it *item) (*reading, error) {
	src, release := interruptible(ctx, &countingReader{src: m.Stdin, n: &it.raw})
	defer release()
	z, err := Unpack(src)
	if err != nil {
		return nil, err
	}
	defer z.Close()

	key := fmt.Sprintf("stdin:%s/%s-%s", m.Host, time.Now().UTC().Format("20060102T150405Z"), rand.Text()[:12])
	n := notes{Path: StandardInput}
	c, err := m.in.Checkpoints.Create(ctx, key, n.encode())
	if err != nil {
		return nil, fmt.Errorf("insert its position: %w", err)
	}
	w := &window{src: z, eager: true}
	r := newReading(m.in, c, n, w, nil, m.framing())
	it.now.Store(r)
	m.in.Active(1)
	defer m.in.Active(-1)
	return r, r.finish(ctx)
}

// interruptible returns a reader of src that ends with ctx. Nothing can end a Read that waits for input; the goroutine
// in it ends when the input does, or with the process.
func interruptible(ctx context.Context, src io.Reader) (r io.Reader, release func()) {
	out, in := io.Pipe()
	go func() {
		_, err := io.CopyBuffer(in, src, make([]byte, 64<<10))
		in.CloseWithError(err)
	}()
	stop := context.AfterFunc(ctx, func() { out.CloseWithError(ctx.Err()) })
	return out, func() {
		stop()
		out.Close()
	}
}
