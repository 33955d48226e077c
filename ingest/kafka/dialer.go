package kafka

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"sync"
)

// A dialer makes connections and remembers them, so that all can be ended at once: the library waits for answers where
// no context reaches it.
type dialer struct {
	net.Dialer
	tls *tls.Config // nil means no encryption

	mu     sync.Mutex
	open   map[*dialled]struct{}
	closed bool
}

// A dialled is a connection that a dialer made.
type dialled struct {
	net.Conn
	by    *dialer
	first []byte // what was read of the size of the first answer; of whoever reads
}

// DialContext makes a connection, encrypted if d has a configuration for that.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, address)
	if err == nil && d.tls != nil {
		conn, err = d.encrypt(ctx, conn, address)
	}
	if err != nil {
		return nil, err
	}
	c := &dialled{Conn: conn, by: d}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	d.open[c] = struct{}{}
	return c, nil
}

func (d *dialer) encrypt(ctx context.Context, conn net.Conn, address string) (net.Conn, error) {
	config := d.tls
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(address) // it was just dialled
	}
	encrypted := tls.Client(conn, config)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return encrypted, nil
}

var errNoBroker = errors.New("what answers is no Kafka broker")

const (
	sizeBytes = 4          // of an answer's size, with which it begins
	maxFirst  = 1 << 20    // bytes of the first answer, which says what versions the broker speaks; some hundred
	tlsAlert  = byte(0x15) // begins what a port for TLS answers, which the library finds out itself
)

// Read implements [net.Conn]. It refuses a first answer that cannot be one: the library would take the text of a web
// server for an array of a billion elements, and make it.
func (c *dialled) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if len(c.first) < sizeBytes {
		c.first = append(c.first, p[:min(n, sizeBytes-len(c.first))]...)
		if len(c.first) == sizeBytes && c.first[0] != tlsAlert && binary.BigEndian.Uint32(c.first) > maxFirst {
			return 0, errNoBroker
		}
	}
	return n, err
}

// Close implements [net.Conn].
func (c *dialled) Close() error {
	c.by.mu.Lock()
	delete(c.by.open, c)
	c.by.mu.Unlock()
	return c.Conn.Close()
}

// interrupt ends all connections that are open now.
func (d *dialer) interrupt() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.open {
		c.Conn.Close() // whoever uses it learns of it and takes it out
	}
}

// close ends all connections and lets nobody make another.
func (d *dialer) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.interrupt()
}
