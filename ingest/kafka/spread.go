package kafka

import (
	"slices"
	"strings"

	"github.com/segmentio/kafka-go"
)

// A spread deals out the partitions of all topics together, so that many topics with one partition each do not all go to
// the same member, as they do with balancers that go topic by topic. It implements [kafka.GroupBalancer].
type spread struct{}

// ProtocolName implements [kafka.GroupBalancer].
func (spread) ProtocolName() string { return "logflume-spread" }

// UserData implements [kafka.GroupBalancer].
func (spread) UserData() ([]byte, error) { return nil, nil }

// AssignGroups gives each partition, in order, to the member with the fewest so far of those that want its topic.
func (spread) AssignGroups(members []kafka.GroupMember, partitions []kafka.Partition) kafka.GroupMemberAssignments {
	members, partitions = slices.Clone(members), slices.Clone(partitions)
	slices.SortFunc(members, func(a, b kafka.GroupMember) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(partitions, func(a, b kafka.Partition) int {
		if c := strings.Compare(a.Topic, b.Topic); c != 0 {
			return c
		}
		return a.ID - b.ID
	})
	has := make([]int, len(members))
	assigned := kafka.GroupMemberAssignments{}
	for _, m := range members {
		assigned[m.ID] = map[string][]int{}
	}
	for _, p := range partitions {
		best := -1
		for i, m := range members {
			if slices.Contains(m.Topics, p.Topic) && (best < 0 || has[i] < has[best]) {
				best = i
			}
		}
		if best < 0 {
			continue
		}
		has[best]++
		to := assigned[members[best].ID]
		to[p.Topic] = append(to[p.Topic], p.ID)
	}
	return assigned
}
