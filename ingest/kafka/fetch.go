package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Versions of Fetch that are spoken: 11 names topics, 13 takes their ids, so that a topic which was deleted and made
// again cannot be taken for the one before. Since 12 it is flexible.
const (
	fetchOldest = 11
	fetchNewest = 13
	fetchIDs    = 13

	readCommitted = 1 // isolation level: only up to the first transaction that is still open
)

// A fetchRequest asks one broker for what comes next in several partitions.
type fetchRequest struct {
	broker   int32
	wait     time.Duration // how long the broker waits for minBytes
	minBytes int
	maxBytes int // of all partitions; the first batch is sent even if it is larger
	parts    []fetchPart
}

// A fetchPart is one partition of a request. Parts of a topic stand together.
type fetchPart struct {
	topicPartition
	topicID  uuid
	epoch    int32 // of the leader, as far as we know
	offset   int64
	maxBytes int

	reading *reading // whose request it is
}

// A fetched is what came of one partition.
type fetched struct {
	fetchKey
	err     error // a [kafka.Error]
	end     int64 // offset after the last message, also one of a transaction that is open: the high watermark
	stable  int64 // offset after the last message that may be read
	aborted []abortedTransaction
	data    []byte // record batches; the last one may be cut off. From dataPool.
}

// fetch asks for records, and calls deliver with each part of the request and what came of it, after the whole answer
// was read.
func (c *cluster) fetch(ctx context.Context, r *fetchRequest, deliver func(fetchPart, fetched)) error {
	version, err := c.version(ctx, r.broker, protocol.Fetch, fetchOldest, fetchNewest)
	if err != nil {
		return err
	}
	if version < fetchIDs || !r.hasIDs() {
		version = fetchOldest
	}
	var answer []fetched
	var code int16
	err = c.askFor(ctx, &exchange{
		key: protocol.Fetch, version: version, flexible: version >= fetchIDs, broker: r.broker,
		encode: func(e *encoder) { r.encode(e, version) },
		decode: func(d *decoder) { answer, code = decodeFetch(d, version) },
	}, r.wait+requestTimeout)
	if err == nil && code != 0 {
		err = kafka.Error(code)
	}
	if err != nil {
		return fmt.Errorf("fetch from broker %d: %w", r.broker, err)
	}
	asked := make(map[fetchKey]fetchPart, len(r.parts))
	for _, p := range r.parts {
		asked[p.key(version)] = p
	}
	for _, f := range answer { // in any order
		if part, ok := asked[f.fetchKey]; ok {
			deliver(part, f)
		}
	}
	return nil
}

// A fetchKey names a partition in an answer: by its topic's name or by its id.
type fetchKey struct {
	topic     string
	id        uuid
	partition int32
}

func (p *fetchPart) key(version int16) fetchKey {
	if version >= fetchIDs {
		return fetchKey{id: p.topicID, partition: p.partition}
	}
	return fetchKey{topic: p.topic, partition: p.partition}
}

func (r *fetchRequest) hasIDs() bool {
	for i := range r.parts {
		if r.parts[i].topicID == (uuid{}) {
			return false
		}
	}
	return true
}

// topics returns the parts of each topic.
func (r *fetchRequest) topics() [][]fetchPart {
	var all [][]fetchPart
	for from := 0; from < len(r.parts); {
		to := from + 1
		for to < len(r.parts) && r.parts[to].topic == r.parts[from].topic {
			to++
		}
		all = append(all, r.parts[from:to])
		from = to
	}
	return all
}

func (r *fetchRequest) encode(e *encoder, version int16) {
	e.int32(-1) // we are no replica
	e.int32(int32(r.wait.Milliseconds()))
	e.int32(int32(r.minBytes))
	e.int32(int32(r.maxBytes))
	e.int8(readCommitted)
	e.int32(0) // no session
	e.int32(-1)
	topics := r.topics()
	e.array(len(topics))
	for _, parts := range topics {
		if version >= fetchIDs {
			e.uuid(parts[0].topicID)
		} else {
			e.string(parts[0].topic)
		}
		e.array(len(parts))
		for _, p := range parts {
			e.int32(p.partition)
			e.int32(p.epoch)
			e.int64(p.offset)
			if version >= fetchIDs {
				e.int32(-1) // epoch of the last batch, which only replicas tell
			}
			e.int64(-1)
			e.int32(int32(p.maxBytes))
			e.tags()
		}
		e.tags()
	}
	e.array(0)
	e.string("") // rack
	e.tags()
}

func decodeFetch(d *decoder, version int16) (answer []fetched, code int16) {
	d.int32() // throttle time
	code = d.int16()
	d.int32() // session
	for n := d.array(); n > 0 && d.err == nil; n-- {
		var key fetchKey
		if version >= fetchIDs {
			key.id = d.uuid()
		} else {
			key.topic = d.string()
		}
		for m := d.array(); m > 0 && d.err == nil; m-- {
			answer = append(answer, decodeFetched(d, key))
		}
		d.tags()
	}
	return answer, code
}

func decodeFetched(d *decoder, key fetchKey) fetched {
	f := fetched{fetchKey: key}
	f.fetchKey.partition = d.int32()
	if code := d.int16(); code != 0 {
		f.err = kafka.Error(code)
	}
	f.end = d.int64()
	f.stable = d.int64()
	d.int64() // first offset that there is
	for n := d.array(); n > 0 && d.err == nil; n-- {
		f.aborted = append(f.aborted, abortedTransaction{producer: d.int64(), first: d.int64()})
		d.tags()
	}
	d.int32() // preferred replica
	if n := d.length(4); n > 0 {
		f.data = newData(n)
		d.read(f.data)
	}
	d.tags()
	return f
}
