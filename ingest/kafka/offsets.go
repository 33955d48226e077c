package kafka

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Which offset of a partition to look up.
const (
	latest   int64 = -1 // the end of what is committed
	earliest int64 = -2 // the first that retention has left
)

// A topicPartition names a partition.
type topicPartition struct {
	topic     string
	partition int32
}

func (p topicPartition) String() string { return fmt.Sprintf("%s/%d", p.topic, p.partition) }

// listOffsetsVersion is the first with leaders' epochs. All brokers since Kafka 2.1 speak it.
const listOffsetsVersion = 4

// offset returns the earliest or latest offset of a partition that broker leads.
func (c *cluster) offset(ctx context.Context, broker int32, p topicPartition, which int64) (int64, error) {
	var code int16
	var offset int64
	err := c.ask(ctx, &exchange{
		key: protocol.ListOffsets, version: listOffsetsVersion, broker: broker,
		encode: func(e *encoder) {
			e.int32(-1) // we are no replica
			e.int8(readCommitted)
			e.array(1)
			e.string(p.topic)
			e.array(1)
			e.int32(p.partition)
			e.int32(-1)
			e.int64(which)
		},
		decode: func(d *decoder) {
			d.int32()
			for n := d.array(); n > 0 && d.err == nil; n-- {
				d.string()
				for m := d.array(); m > 0 && d.err == nil; m-- {
					d.int32()
					code = d.int16()
					d.int64()
					offset = d.int64()
					d.int32()
				}
			}
		},
	})
	if err == nil && code != 0 {
		err = kafka.Error(code)
	}
	if err != nil {
		return 0, fmt.Errorf("ask for offsets of %s: %w", p, err)
	}
	return offset, nil
}

// bounds returns the first offset that a partition still has and the one after its last committed message.
func (c *cluster) bounds(ctx context.Context, broker int32, p topicPartition) (start, end int64, err error) {
	if start, err = c.offset(ctx, broker, p, earliest); err != nil {
		return 0, 0, err
	}
	end, err = c.offset(ctx, broker, p, latest)
	return start, end, err
}
