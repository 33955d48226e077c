package kafka

import (
	"fmt"
	"testing"

	"github.com/segmentio/kafka-go"
)

func TestSpreadDealsOutAllTopicsTogether(t *testing.T) {
	t.Parallel()
	members := []kafka.GroupMember{
		{ID: "c", Topics: []string{"a", "b", "d"}}, {ID: "a", Topics: []string{"a", "b"}}, {ID: "b", Topics: []string{"a", "b"}},
	}
	var partitions []kafka.Partition
	for topic, n := range map[string]int{"a": 1, "b": 4, "d": 1, "nobody's": 2} {
		for i := range n {
			partitions = append(partitions, kafka.Partition{Topic: topic, ID: i})
		}
	}
	got := spread{}.AssignGroups(members, partitions)
	if want := "map[a:map[a:[0] b:[2]] b:map[b:[0 3]] c:map[b:[1] d:[0]]]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
