package testkit

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// A link is one connection through a proxy.
type link struct {
	proxy          *FaultyProxy
	client, server net.Conn
	done           chan struct{} // closed when the link is
	once           sync.Once

	session atomic.Int32 // process id of the server's side
	swallow atomic.Bool  // set when the answer to a COMMIT must not reach the client
}

// errCut ends a link by reset.
var errCut = errors.New("cut by a fault")

// cut resets the link, both ends.
func (l *link) cut() {
	l.once.Do(func() {
		close(l.done)
		reset(l.client)
		reset(l.server)
	})
}

// end closes the link: in an orderly way when its peer did so.
func (l *link) end(err error) {
	if !errors.Is(err, io.EOF) {
		l.cut()
		return
	}
	l.once.Do(func() {
		close(l.done)
		l.client.Close()
		l.server.Close()
	})
}

const (
	headerLength   = 5 // a message's type and its length
	startupLength  = 4 // the messages up to the login have no type
	readerCapacity = 64 << 10

	copyData = 'd' // the type of a message with rows

	// What stands in place of a protocol version in messages that are no login.
	requestCancel = 80877102
	requestTLS    = 80877103
	requestGSS    = 80877104
)

// forwardClient passes on what the client sends, message by message, until either end closes.
func (l *link) forwardClient() error {
	from := bufio.NewReaderSize(l.client, readerCapacity)
	for {
		message, err := readMessage(from, startupLength)
		if err != nil {
			return err
		}
		request := binary.BigEndian.Uint32(message[startupLength:])
		if request == requestTLS || request == requestGSS {
			if err := l.send(l.client, []byte{'N'}); err != nil { // no: we read along
				return err
			}
			continue
		}
		if err := l.send(l.server, message); err != nil {
			return err
		}
		if request != requestCancel {
			break
		}
	}
	var seen statements
	var struck strikeKind // by what, when a COMMIT is on its way
	for {
		message, err := readMessage(from, headerLength)
		if err != nil {
			return err
		}
		if message[0] == copyData {
			if err := l.strikeInCopy(message); err != nil {
				return err
			}
			continue
		}
		if seen.commits(message) {
			if struck = l.proxy.takeAtCommit(int(l.session.Load()), seen.copied); struck == cutBeforeCommit {
				return errCut
			}
		}
		// The server answers a simple query at once, what came in parts after the Sync.
		if struck != noStrike && (message[0] == 'Q' || message[0] == 'S') {
			return l.commitUnheard(message, struck == holdCommit)
		}
		if err := l.send(l.server, message); err != nil {
			return err
		}
	}
}

// strikeInCopy passes rows on, unless a fault is set for them.
func (l *link) strikeInCopy(message []byte) error {
	session := int(l.session.Load())
	struck := l.proxy.takeInCopy(session)
	half := len(message)
	if struck != noStrike {
		half /= 2
	}
	if err := l.send(l.server, message[:half]); err != nil {
		return err
	}
	switch struck {
	case noStrike:
		return nil
	case cutInCopy:
		return errCut
	}
	l.proxy.waitReleased(session, l.done)
	return l.send(l.server, message[half:])
}

// commitUnheard passes the last message of a COMMIT on, at the proxy's Release if it is held, and waits for the end of the
// link, which comes with the server's answer or with the end of its session. The client hears of neither.
func (l *link) commitUnheard(message []byte, held bool) error {
	l.swallow.Store(true)
	if held {
		reset(l.client)
		l.proxy.waitReleased(int(l.session.Load()), l.done)
	}
	if err := l.send(l.server, message); err != nil {
		return err
	}
	<-l.done
	return errCut
}

// forwardServer passes on what the server sends until either end closes.
func (l *link) forwardServer() error {
	from := bufio.NewReaderSize(l.server, readerCapacity)
	for {
		message, err := readMessage(from, headerLength)
		if err != nil {
			return err
		}
		if message[0] == 'K' {
			l.session.Store(int32(binary.BigEndian.Uint32(message[headerLength:])))
		}
		if l.swallow.Load() {
			if message[0] == 'Z' { // ready for the next query: the commit is done
				return errCut
			}
			continue
		}
		if err := l.send(l.client, message); err != nil {
			return err
		}
	}
}

// send writes a message, later if faults say so.
func (l *link) send(to net.Conn, message []byte) error {
	l.proxy.hold(l.done)
	_, err := to.Write(message)
	return err
}

// readMessage reads one whole message whose head has this many bytes, the last four of which are a length that counts
// itself and what follows.
func readMessage(from *bufio.Reader, head int) ([]byte, error) {
	start, err := from.Peek(head)
	if err != nil {
		return nil, err
	}
	message := make([]byte, head-4+int(binary.BigEndian.Uint32(start[head-4:])))
	_, err = io.ReadFull(from, message)
	return message, err
}
