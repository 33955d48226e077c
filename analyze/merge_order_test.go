package analyze

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"logflume/pipeline"
)

// finals mines the messages in their order and returns the final id of each.
func finals(m *Miner, messages []string) []int64 {
	seen := make([]Sighting, len(messages))
	for i, s := range messages {
		seen[i] = m.Add(&pipeline.Event{Message: s})
	}
	m.Close()
	ids := make([]int64, len(messages))
	for i, s := range seen {
		ids[i] = m.Final(s)
	}
	return ids
}

// permuted mines the messages in that order and returns the final ids in the order of messages.
func permuted(m *Miner, messages []string, order []int) []int64 {
	inOrder := make([]string, len(messages))
	for i, j := range order {
		inOrder[i] = messages[j]
	}
	ids := make([]int64, len(messages))
	for i, id := range finals(m, inOrder) {
		ids[order[i]] = id
	}
	return ids
}

// exchanged lets two hosts see the messages that are theirs, and returns the final ids after they have put their patterns
// together: those of the second host first.
func exchanged(messages []string, isSecond func(i int) bool) []int64 {
	var stored [2][]pipeline.Pattern
	ids := make([]int64, len(messages))
	var hosts [2]masker
	for i, s := range messages {
		h := 0
		if isSecond(i) {
			h = 1
		}
		if ids[i] = hosts[h].mask(s); ids[i] != 0 {
			stored[h] = append(stored[h], pipeline.Pattern{ID: ids[i], Text: string(hosts[h].appendText(nil))})
		}
	}
	resolve := map[int64]int64{}
	for _, a := range Merge(slices.Concat(stored[1], stored[0]), nil) {
		resolve[a.From] = a.To.ID
	}
	for i, id := range ids {
		if to, ok := resolve[id]; ok {
			ids[i] = to
		}
	}
	return ids
}

// drawMessages makes messages of a few texts with many different words in their places, so that holes open, some side by
// side, some only after others.
func drawMessages(t *rapid.T) []string {
	words := strings.Fields("alice bob carol dave erin frank grace heidi ivan judy kim opened up 7 10.0.0.1 eth0 /var/log/x 'a-b' null x=1 READY (z)")
	texts := []string{
		"session of % is %", "user % from % port % not found here", "% error: could not reach proxy of host %", "%: % % %",
		"queue % has too many waiting jobs, limit % for % reached", "a b c d e %", "name=%, tag=%, ws=% released by %", "% %",
		"% took % seconds to reach host (%)", "could not open file % (%): %",
	}
	word := rapid.IntRange(0, len(words)-1)
	text := rapid.IntRange(0, len(texts)-1)
	some := []int{text.Draw(t, "text"), text.Draw(t, "text")}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		parts := strings.Split(texts[rapid.SampledFrom(some).Draw(t, "text")], "%")
		for i := range len(parts) - 1 {
			parts[i] += words[word.Draw(t, "word")]
		}
		return strings.Join(parts, "")
	}), 20, 150).Draw(t, "messages")
}

// Final ids depend on nothing but the set of messages, however little memory there is.
func TestFinalIDsDependOnTheSetAlone(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{MaxMined, 40, 10} {
		rapid.Check(t, func(t *rapid.T) {
			messages := drawMessages(t)
			want := finals(newMiner(limit), messages)
			order := rapid.Permutation(slices.Collect(maps.Keys(indexed(messages)))).Draw(t, "order")
			if got := permuted(newMiner(limit), messages, order); !slices.Equal(got, want) {
				t.Fatalf("another order of %q gives other ids", messages)
			}
			if got := finals(newMiner(limit), slices.Concat(messages, messages))[:len(messages)]; !slices.Equal(got, want) {
				t.Fatalf("%q seen twice gives other ids", messages)
			}
			if limit < MaxMined {
				return
			}
			second := rapid.SliceOfN(rapid.Bool(), len(messages), len(messages)).Draw(t, "second")
			if got := exchanged(messages, func(i int) bool { return second[i] }); !slices.Equal(got, want) {
				t.Fatalf("%q split over two hosts gives other ids", messages)
			}
		})
	}
}

func indexed(messages []string) map[int]string { return maps.Collect(slices.All(messages)) }

// More messages may join what was apart, but part nothing that was joined.
func TestMergesLast(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		some, more := drawMessages(t), drawMessages(t)
		before := finals(NewMiner(), some)
		after := finals(NewMiner(), slices.Concat(some, more))
		for i := range some {
			for j := range i {
				if before[i] == before[j] && after[i] != after[j] {
					t.Fatalf("%q and %q part when %q are seen too", some[i], some[j], more)
				}
			}
		}
	})
}

// The patterns that stand for others are written as the rules write: masking them changes nothing.
func TestMergedPatternsAreMasked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := NewMiner()
		messages := drawMessages(t)
		finals(m, messages)
		for _, a := range Merge(patternsOf(messages), nil) {
			if text, id := masked(a.To.Text); text != a.To.Text || id != a.To.ID {
				t.Fatalf("%d %q is masked to %d %q", a.To.ID, a.To.Text, id, text)
			}
		}
	})
}

// Where a mark is taken to stand alone, the rules leave it so.
func TestMarksThatStandAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var m masker
		for _, p := range patternsOf(drawMessages(t)) {
			text, kinds := parsePattern(p.Text)
			slots := slotsOf(nil, text)
			for i, s := range slots {
				hole := appendHole(nil, text, s)
				if s.role != varying || !standsAlone(hole, int(s.start)) {
					continue
				}
				if m.mask(string(appendPattern(nil, hole, withHole(kinds, slots, i)))); !bytes.Equal(m.text(), hole) {
					t.Fatalf("%q with a mark at %d is written %q", text, s.start, m.text())
				}
			}
		}
	})
}

// With too little memory for all of them, it is still the set of patterns alone that counts.
func TestMergeWithinLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		patterns := patternsOf(drawMessages(t))
		limit := rapid.IntRange(0, 400).Draw(t, "limit")
		one, other := merger{limit: limit}, merger{limit: limit}
		want := one.merge(patterns, nil)
		if got := other.merge(rapid.Permutation(patterns).Draw(t, "order"), nil); !slices.Equal(got, want) {
			t.Fatalf("%v and %v", want, got)
		}
	})
}

func patternsOf(messages []string) []pipeline.Pattern {
	var all []pipeline.Pattern
	for _, s := range messages {
		text, id := masked(s)
		all = append(all, pipeline.Pattern{ID: id, Text: text})
	}
	return all
}
