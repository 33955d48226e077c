package testkit

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// A FaultyProxy stands between a client and a PostgreSQL server and breaks what passes. Without faults it forwards
// everything as it is. Safe for concurrent use.
type FaultyProxy struct {
	listener        net.Listener
	network, server string

	all sync.WaitGroup // every goroutine

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a fault is set or lifted
	closed  bool
	refuse  bool
	stalled bool
	delay   time.Duration
	strike  strike
	held    int // process id of the session that is held in a COPY
	links   map[*link]struct{}
}

// Proxy starts a proxy to the server at this address ("tcp", "127.0.0.1:5432" or "unix", "/dir/.s.PGSQL.5432"), on a
// free loopback port. It ends with the test.
func Proxy(t testing.TB, network, address string) *FaultyProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &FaultyProxy{
		listener: listener, network: network, server: address,
		changed: make(chan struct{}), links: map[*link]struct{}{},
	}
	p.all.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// ProxyURL starts a proxy to the server of a connection string and returns it with the string that leads through it.
func ProxyURL(t testing.TB, database string) (*FaultyProxy, string) {
	t.Helper()
	parsed, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	query := parsed.Query()
	network, address := "tcp", parsed.Host
	if dir := query.Get("host"); dir != "" {
		network, address = "unix", dir+"/.s.PGSQL.5432"
	}
	p := Proxy(t, network, address)
	query.Del("host")
	query.Set("sslmode", "disable") // the proxy reads along
	parsed.Host, parsed.RawQuery = p.Addr(), query.Encode()
	return p, parsed.String()
}

// Addr returns the host and port where the proxy listens.
func (p *FaultyProxy) Addr() string { return p.listener.Addr().String() }

// Cut resets all connections that there are.
func (p *FaultyProxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// Refuse makes the proxy reset new connections at once, or stop doing so.
func (p *FaultyProxy) Refuse(refuse bool) { p.change(func() { p.refuse = refuse }) }

// Stall makes the proxy hold everything back, in both directions, without closing anything, or let it go on.
func (p *FaultyProxy) Stall(stalled bool) { p.change(func() { p.stalled = stalled }) }

// Delay makes every message, in both directions, wait this long.
func (p *FaultyProxy) Delay(d time.Duration) { p.change(func() { p.delay = d }) }

func (p *FaultyProxy) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

// hold waits as delay and stall demand, or until done is closed.
func (p *FaultyProxy) hold(done <-chan struct{}) {
	p.mu.Lock()
	delay := p.delay
	p.mu.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-done:
		}
	}
	for {
		p.mu.Lock()
		stalled, changed := p.stalled, p.changed
		p.mu.Unlock()
		if !stalled {
			return
		}
		select {
		case <-changed:
		case <-done:
			return
		}
	}
}

func (p *FaultyProxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		refuse := p.refuse
		p.mu.Unlock()
		var server net.Conn
		if !refuse {
			server, err = net.Dial(p.network, p.server)
		}
		if refuse || err != nil {
			reset(client)
			continue
		}
		p.serve(&link{proxy: p, client: client, server: server, done: make(chan struct{})})
	}
}

// serve forwards both directions of a new connection until either ends.
func (p *FaultyProxy) serve(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.cut()
		return
	}
	p.links[l] = struct{}{}
	var both sync.WaitGroup
	both.Go(func() { l.end(l.forwardClient()) })
	both.Go(func() { l.end(l.forwardServer()) })
	p.all.Go(func() {
		both.Wait()
		p.mu.Lock()
		delete(p.links, l)
		p.mu.Unlock()
	})
}

func (p *FaultyProxy) close() {
	p.listener.Close()
	p.change(func() { p.closed = true })
	p.Cut()
	p.all.Wait()
}

// reset closes a connection so that its other end sees an error, not an orderly end.
func reset(c io.Closer) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
