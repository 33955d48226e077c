package kafka

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

const (
	anyBroker = -1

	dialTimeout    = 10 * time.Second
	requestTimeout = 15 * time.Second // for an answer, beyond the time that the broker was asked to wait
	layoutInterval = 5 * time.Second
)

// A cluster is the connections to the brokers of one cluster. Safe for concurrent use.
type cluster struct {
	transport *kafka.Transport
	address   net.Addr
	dialer    *dialer

	mu       sync.Mutex
	versions map[int32]map[protocol.ApiKey]versionRange // by broker
}

type versionRange struct{ oldest, newest int16 }

func newCluster(o *Options) *cluster {
	d := &dialer{tls: o.TLS, open: map[*dialled]struct{}{}}
	return &cluster{
		transport: &kafka.Transport{
			Dial: d.DialContext, DialTimeout: dialTimeout, MetadataTTL: layoutInterval, ClientID: clientID, SASL: o.SASL,
			MetadataTopics: []string{}, // the brokers only: which topics there are we ask ourselves
		},
		address: kafka.TCP(o.Brokers...), dialer: d,
		versions: map[int32]map[protocol.ApiKey]versionRange{},
	}
}

// close ends all connections, also those that others made with c.dialer.
func (c *cluster) close() {
	c.transport.CloseIdleConnections()
	c.dialer.close()
}

// ask makes an exchange. Its decode may still run when ctx ended, so what it fills belongs to nobody else then.
func (c *cluster) ask(ctx context.Context, e *exchange) error {
	return c.askFor(ctx, e, requestTimeout)
}

func (c *cluster) askFor(ctx context.Context, e *exchange, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := c.transport.RoundTrip(ctx, c.address, e)
	if err != nil { // an upgraded broker is another one
		c.mu.Lock()
		delete(c.versions, e.broker)
		c.mu.Unlock()
	}
	return err
}

// version returns the newest version of key that broker and we speak.
func (c *cluster) version(ctx context.Context, broker int32, key protocol.ApiKey, oldest, newest int16) (int16, error) {
	c.mu.Lock()
	spoken, known := c.versions[broker]
	c.mu.Unlock()
	if !known {
		var err error
		if spoken, err = c.askVersions(ctx, broker); err != nil {
			return 0, fmt.Errorf("connect: %w", err)
		}
		c.mu.Lock()
		c.versions[broker] = spoken
		c.mu.Unlock()
	}
	r := spoken[key]
	if r.newest < oldest || r.oldest > newest {
		return 0, fmt.Errorf("the broker speaks versions %d to %d of %s, needed is one of %d to %d: use Kafka 2.4 or newer",
			r.oldest, r.newest, key, oldest, newest)
	}
	return min(r.newest, newest), nil
}

func (c *cluster) askVersions(ctx context.Context, broker int32) (map[protocol.ApiKey]versionRange, error) {
	var code int16
	spoken := map[protocol.ApiKey]versionRange{}
	err := c.ask(ctx, &exchange{
		key: protocol.ApiVersions, broker: broker, encode: func(*encoder) {},
		decode: func(d *decoder) {
			code = d.int16()
			for n := d.array(); n > 0 && d.err == nil; n-- {
				spoken[protocol.ApiKey(d.int16())] = versionRange{d.int16(), d.int16()}
			}
		},
	})
	if err == nil && code != 0 {
		err = kafka.Error(code)
	}
	return spoken, err
}
