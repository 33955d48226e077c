package kafka_test

import (
	"testing"

	"logflume/internal/testkit"
)

func TestReadsAllPartitionsAndGoesOnAfterARestart(t *testing.T) {
	r := newRig(t, 3)
	for p := range 3 {
		r.produce(p, numbered(p*100+1, p*100+100)...)
	}
	first := r.begin()
	r.wait(300)
	r.produce(1, numbered(301, 310)...)
	r.wait(310)
	r.end(first)
	r.produce(2, numbered(311, 320)...)
	second := r.begin()
	r.wait(320)
	testkit.Eventually(t, "the group's offsets are those of the positions", func() bool {
		offsets, err := r.admin.FetchOffsets(t.Context(), r.o.Group)
		if err != nil {
			return false
		}
		sum := int64(0)
		for _, o := range offsets[r.topic] {
			sum += o.At
		}
		return sum == 320
	})
	r.end(second)
}
