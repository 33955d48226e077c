package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// A layout is what a cluster says about itself.
type layout struct {
	clusterID string
	topics    map[string]*topicLayout
}

// existing returns the names of the topics that have partitions.
func (l *layout) existing() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(l.topics)) {
		if len(l.topics[name].partitions) > 0 {
			names = append(names, name)
		}
	}
	return names
}

type topicLayout struct {
	name       string
	id         uuid
	internal   bool
	err        error // why the cluster tells no more
	partitions map[int32]leadership
}

// A leadership says who serves a partition, and in which term.
type leadership struct {
	leader int32 // -1 while there is none
	epoch  int32
}

// Versions of Metadata that are spoken.
const (
	metadataOldest   = 8
	metadataFlexible = 9
	metadataIDs      = 10 // from here on topics have ids
	metadataSplit    = 11 // from here on rights on the cluster are asked for elsewhere
	metadataNewest   = 12
)

// metadata asks about topics; nil means all.
func (c *cluster) metadata(ctx context.Context, topics []string) (layout, error) {
	version, err := c.version(ctx, anyBroker, protocol.Metadata, metadataOldest, metadataNewest)
	if err != nil {
		return layout{}, err
	}
	found := layout{topics: map[string]*topicLayout{}}
	err = c.ask(ctx, &exchange{
		key: protocol.Metadata, version: version, flexible: version >= metadataFlexible, broker: anyBroker,
		encode: func(e *encoder) {
			if topics == nil {
				e.array(-1)
			} else {
				e.array(len(topics))
			}
			for _, t := range topics {
				if version >= metadataIDs {
					e.uuid(uuid{})
				}
				e.string(t)
				e.tags()
			}
			e.int8(0) // create no topics
			if version < metadataSplit {
				e.int8(0)
			}
			e.int8(0)
			e.tags()
		},
		decode: func(d *decoder) { found.decode(d, version) },
	})
	if err != nil {
		return layout{}, fmt.Errorf("ask for metadata: %w", err)
	}
	return found, nil
}

func (l *layout) decode(d *decoder, version int16) {
	d.int32() // throttle time
	for n := d.array(); n > 0 && d.err == nil; n-- {
		d.int32() // brokers: the transport keeps its own list
		d.discard(max(d.length(2), 0))
		d.int32()
		d.discard(max(d.length(2), 0))
		d.tags()
	}
	l.clusterID = d.string()
	d.int32() // controller
	for n := d.array(); n > 0 && d.err == nil; n-- {
		t := decodeTopic(d, version)
		l.topics[t.name] = t
	}
	if version < metadataSplit {
		d.int32()
	}
	d.tags()
}

func decodeTopic(d *decoder, version int16) *topicLayout {
	t := &topicLayout{partitions: map[int32]leadership{}}
	if code := d.int16(); code != 0 {
		t.err = kafka.Error(code)
	}
	t.name = d.string()
	if version >= metadataIDs {
		t.id = d.uuid()
	}
	t.internal = d.int8() != 0
	for n := d.array(); n > 0 && d.err == nil; n-- {
		d.int16() // its error shows in the leader
		id := d.int32()
		t.partitions[id] = leadership{leader: d.int32(), epoch: d.int32()}
		d.ints32()
		d.ints32()
		d.ints32()
		d.tags()
	}
	d.int32() // rights on the topic
	d.tags()
	return t
}
