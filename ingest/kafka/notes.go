package kafka

import (
	"encoding/json"
	"fmt"
)

// notes is what a position row says about its partition in meta.
type notes struct {
	Topic     string   `json:"topic"`
	Partition int32    `json:"partition"`
	TopicID   string   `json:"topic_id"`         // which topic of that name; "" if the brokers have no ids
	Start     int64    `json:"start"`            // where reading begins; the position is moved there first
	Gaps      []gap    `json:"gaps,omitempty"`   // the latest offsets that were gone before they could be read
	Former    []former `json:"former,omitempty"` // topics of that name that were deleted
	End       *int64   `json:"end,omitempty"`    // after the last message, when last fetched from
	Beyond    *int64   `json:"beyond,omitempty"` // the partition was found to end here, before the position
}

// A gap is a range of offsets, from the first up to but not including the second.
type gap [2]int64

// A former is a topic that was deleted and how far it had been read.
type former struct {
	TopicID  string `json:"topic_id"`
	Position int64  `json:"position"`
}

// mostNoted is how many gaps and former topics a row keeps, the latest ones. The column lost_messages counts all.
const mostNoted = 100

func keepLatest[T any](list []T) []T { return list[max(0, len(list)-mostNoted):] }

func (n *notes) encode() []byte { return object(n) }

// object encodes v, which holds nothing but texts and numbers.
func object(v any) []byte {
	p, err := json.Marshal(v)
	if err != nil {
		panic("encode notes: " + err.Error())
	}
	return p
}

func decodeNotes(meta []byte) (notes, error) {
	var n notes
	if len(meta) == 0 {
		return n, nil
	}
	if err := json.Unmarshal(meta, &n); err != nil {
		return n, fmt.Errorf("decode meta: %w", err)
	}
	return n, nil
}
