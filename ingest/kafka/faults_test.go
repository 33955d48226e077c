package kafka_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"logflume/internal/testkit"
)

// newFake is newRig on a cluster of three brokers that live in this process and can do what real ones hardly ever do.
func newFake(t *testing.T, partitions int, options ...kfake.Opt) (*rig, *kfake.Cluster) {
	t.Helper()
	t.Parallel()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.GroupMinSessionTimeout(1)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	r := rigOn(t, cluster.ListenAddrs())
	r.makeTopic(partitions)
	return r, cluster
}

func TestLeadersAndCoordinatorsThatMove(t *testing.T) {
	r, cluster := newFake(t, 6)
	total := 0
	r.begin()
	r.begin()
	for round := range 6 {
		for p := range 6 {
			r.produce(p, numbered(total+1, total+50)...)
			total += 50
		}
		if cluster.ShufflePartitionLeaders(); round%2 == 1 {
			cluster.RehashCoordinators()
		}
	}
	r.wait(total)
}

// Brokers that know no topic ids (before 2.8), or know them and fetch by name (before 3.1).
func TestOlderBrokers(t *testing.T) {
	for name, version := range map[string]*kversion.Versions{"2.4": kversion.V2_4_0(), "2.8": kversion.V2_8_0(), "3.1": kversion.V3_1_0()} {
		t.Run(name, func(t *testing.T) {
			r, _ := newFake(t, 2, kfake.MaxVersions(version))
			r.produce(0, numbered(1, 100)...)
			r.produce(1, numbered(101, 200)...)
			first := r.begin()
			r.wait(200)
			r.end(first)
			r.produce(1, numbered(201, 210)...)
			r.begin()
			r.wait(210)
		})
	}
}

func TestBrokersThatAreTooOld(t *testing.T) {
	r, _ := newFake(t, 1, kfake.MaxVersions(kversion.V2_0_0()))
	p := r.begin()
	testkit.Eventually(t, "it says what is wrong", func() bool {
		err := p.source.Health()
		return err != nil && strings.Contains(err.Error(), "use Kafka 2.4 or newer")
	})
}

// Answers that fail for one fetch in three, in all ways that pass, and connections that break.
func TestFetchesThatFail(t *testing.T) {
	r, cluster := newFake(t, 3)
	var fetches atomic.Int64
	passing := []int16{
		kerr.NotLeaderForPartition.Code, kerr.FencedLeaderEpoch.Code, kerr.UnknownLeaderEpoch.Code, kerr.UnknownTopicID.Code,
		kerr.KafkaStorageError.Code, kerr.OffsetNotAvailable.Code, kerr.UnknownTopicOrPartition.Code, kerr.UnknownServerError.Code,
	}
	cluster.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		n := fetches.Add(1)
		switch {
		case n%3 != 0:
			return nil, nil, false
		case n%9 == 0:
			return nil, errors.New("cut"), true
		}
		answer := request.ResponseKind().(*kmsg.FetchResponse)
		for _, asked := range request.(*kmsg.FetchRequest).Topics {
			topic := kmsg.NewFetchResponseTopic()
			topic.Topic, topic.TopicID = asked.Topic, asked.TopicID
			for _, p := range asked.Partitions {
				partition := kmsg.NewFetchResponseTopicPartition()
				partition.Partition, partition.ErrorCode = p.Partition, passing[int(n/3)%len(passing)]
				topic.Partitions = append(topic.Partitions, partition)
			}
			answer.Topics = append(answer.Topics, topic)
		}
		return answer, nil, true
	})
	r.begin()
	total := 0
	for range 10 {
		for p := range 3 {
			r.produce(p, numbered(total+1, total+20)...)
			total += 20
		}
		r.wait(total)
	}
	if fetches.Load() < 9 {
		t.Errorf("only %d fetches, none of which broke", fetches.Load())
	}
}

func TestDamagedBatchStopsItsPartitionOnly(t *testing.T) {
	r, cluster := newFake(t, 2)
	for p := range int32(2) { // led by two brokers, so that no request is for both
		if err := cluster.MoveTopicPartition(r.topic, p, p); err != nil {
			t.Fatal(err)
		}
	}
	r.produce(0, numbered(1, 10)...)
	p := r.begin()
	r.wait(10)
	r.end(p)
	// One batch that is good and one that is not, in one answer.
	good, bad := r.batchOf(10, numbered(11, 12)...), r.batchOf(12, numbered(1001, 1002)...)
	bad[len(bad)-3] ^= 1
	cluster.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := request.ResponseKind().(*kmsg.FetchResponse)
		for _, asked := range request.(*kmsg.FetchRequest).Topics {
			topic := kmsg.NewFetchResponseTopic()
			topic.Topic, topic.TopicID = asked.Topic, asked.TopicID
			for _, p := range asked.Partitions {
				if p.Partition != 0 || p.FetchOffset > 12 {
					return nil, nil, false
				}
				partition := kmsg.NewFetchResponseTopicPartition()
				partition.HighWatermark, partition.LastStableOffset, partition.RecordBatches = 20, 14, bad
				if p.FetchOffset == 10 {
					partition.HighWatermark = 14
					partition.RecordBatches = append(good[:len(good):len(good)], bad...)
				}
				topic.Partitions = append(topic.Partitions, partition)
			}
			answer.Topics = append(answer.Topics, topic)
		}
		return answer, nil, true
	})
	p = r.begin()
	testkit.Eventually(t, "the partition is in trouble", func() bool {
		err := p.source.Health()
		return err != nil && strings.Contains(err.Error(), r.topic+"/0: the batch at offset 12 is damaged: its checksum does not fit")
	})
	r.produce(1, numbered(13, 20)...)
	r.wait(20)
	testkit.Eventually(t, "the end is noted though nothing is committed", func() bool {
		return ask[bool](r, "SELECT coalesce((meta->>'end')::bigint = 20, false) FROM @log_positions WHERE source_key LIKE '%/0'")
	})
	if at := ask[int](r, "SELECT position FROM @log_positions WHERE source_key LIKE '%/0'"); at != 12 {
		t.Errorf("position %d, want 12", at)
	}
}

// batchOf encodes values as a record batch at offset base, as it is stored by brokers.
func (r *rig) batchOf(base int64, values ...string) []byte {
	var records []byte
	for i, v := range values {
		one := kmsg.Record{OffsetDelta: int32(i), Value: []byte(v)}
		one.Length = int32(len(one.AppendTo(nil)) - 1) // its own length is a varint of one byte as long as it is 0
		records = one.AppendTo(records)
	}
	b := kmsg.RecordBatch{
		FirstOffset: base, Magic: 2, LastOffsetDelta: int32(len(values) - 1), ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		NumRecords: int32(len(values)), Records: records,
	}
	p := b.AppendTo(nil)
	binary.BigEndian.PutUint32(p[8:], uint32(len(p)-12))
	binary.BigEndian.PutUint32(p[17:], crc32.Checksum(p[21:], crc32.MakeTable(crc32.Castagnoli)))
	return p
}
