package privatekafka

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports are taken from below the range that systems give to outgoing connections, or one of those could take the port
// of a node that is stopped.
const (
	firstPort = 12000
	lastPort  = 31999
)

// given are the ports that this process has chosen: a node listens on its own some time later, or is stopped.
var given sync.Map

// freePort returns a port of the loopback interface that nobody listens on and that it has not returned before.
func freePort() (int, error) {
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if _, known := given.LoadOrStore(port, nil); known {
			continue
		}
		if err = tryPort(port); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port: %w", err)
}

// tryPort returns an error when the port cannot be listened on.
func tryPort(port int) error {
	listener, err := net.Listen("tcp", address(port))
	if err != nil {
		return err
	}
	return listener.Close()
}

// FreePortFrom returns the first port from this one on that nobody listens on.
func FreePortFrom(port int) (int, error) {
	for ; port <= lastPort; port++ {
		if tryPort(port) == nil {
			return port, nil
		}
	}
	return 0, errors.New("no free port")
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
