package postgres

import (
	"context"
	"io"
	"net"
	"sync"
)

// copyIn streams tuples, given in pieces, to a COPY statement of the open transaction.
func (c *client) copyIn(ctx context.Context, sql string, pieces [][]byte) error {
	all := make(net.Buffers, 0, len(pieces)+2)
	all = append(all, copyHeader)
	all = append(all, pieces...)
	all = append(all, copyTrailer)
	r := &copyReader{rest: all}
	defer r.shut()
	_, err := c.conn.PgConn().CopyFrom(ctx, r, sql)
	return err
}

// A copyReader reads pieces one after the other. When the connection breaks, CopyFrom returns while its goroutine may
// still be reading; shut makes sure that the pieces, which are reused, are not touched from then on.
type copyReader struct {
	mu   sync.Mutex
	rest net.Buffers // guarded by mu
}

func (r *copyReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	return r.rest.Read(p)
}

func (r *copyReader) shut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rest = nil
}
