package analyze

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"logflume/pipeline"
)

// resolved returns the final pattern of each message.
func resolved(messages []string, apart ...pipeline.Pattern) []string {
	to := map[int64]string{}
	for _, a := range Merge(patternsOf(messages), apart) {
		to[a.From] = a.To.Text
	}
	texts := make([]string, len(messages))
	for i, s := range messages {
		text, id := masked(s)
		if other, ok := to[id]; ok {
			text = other
		}
		texts[i] = text
	}
	return texts
}

// each puts every word of a list in place of the % of a text.
func each(text, words string) (messages []string) {
	for w := range strings.FieldsSeq(words) {
		messages = append(messages, strings.ReplaceAll(text, "%", w))
	}
	return messages
}

const names = "alice bob carol dave erin frank grace heidi ivan judy kim leo mia nora oscar peggy quinn rob sam tina"

func TestHoles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		messages []string
		want     string // what stands for all of them; "" if each stays what it is
	}{
		{"four words among five others", each("the daemon % did not answer in time", "alice bob carol dave"), "the daemon <*> did not answer in time"},
		{"three are too few", each("the daemon % did not answer in time", "alice bob carol"), ""},
		{"the less else, the more words", each("daemon % silent", "a b c d e f g h i j k"), ""},
		{"twelve words among two others", each("daemon % silent", names), "daemon <*> silent"},
		{"nothing but one other word", each("daemon %", names), ""},
		{"events stay apart", each("the daemon was % by the system manager", "started stopped reloaded killed paused resumed"), ""},
		{"states stay apart", each("the daemon is now in state % for good", "UP DOWN READY FAILED UNKNOWN MASTER"), ""},
		{"keys stay apart", each("the daemon said that its %=5 is too large", names), ""},
		{"the first word tells what it is about", each("% could not be read from the disk", "alice bob carol dave erin"), ""},
		{"unless there are very many", each("% could not be read from the disk", names), "<*> could not be read from the disk"},
		{"one word where values stood", []string{"lost connection to broker 10.0.0.1 while sending", "lost connection to broker localhost while sending"}, "lost connection to broker <ip> while sending"},
		{"a hole beside a value", slices.Concat(each("lost the job % 5 of the queue runner", "alice bob carol dave"), []string{"lost the job 17 of the queue runner"}), "lost the job <num> of the queue runner"},
		{"holes one after the other", slices.Concat(
			each("user alice may not use queue % here", "a b c d"), each("user bob may not use queue % here", "a b c d"),
			each("user carol may not use queue % here", "a b c d"), each("user dave may not use queue % here", "a b c d")),
			"user <*> may not use queue <*> here"},
		{"holes across each other", slices.Concat(
			each("user alice may not use queue % here", "a b c d"), each("user % may not use queue a here", "bob carol dave")),
			"user <*> may not use queue <*> here"},
	}
	for _, tt := range tests {
		for i, got := range resolved(tt.messages) {
			want := tt.want
			if want == "" {
				want, _ = masked(tt.messages[i])
			}
			if got != want {
				t.Errorf("%s: %q is %q, want %q", tt.name, tt.messages[i], got, want)
			}
		}
	}
}

func TestAliases(t *testing.T) {
	t.Parallel()
	messages := each("the daemon % did not answer in time", "alice bob carol dave erin")
	aliases := Merge(patternsOf(append(messages, messages...)), nil)
	text, id := masked("the daemon <*> did not answer in time")
	if len(aliases) != 5 || !slices.IsSortedFunc(aliases, func(a, b pipeline.Alias) int { return int(min(max(a.From-b.From, -1), 1)) }) {
		t.Errorf("aliases %v", aliases)
	}
	for _, a := range aliases {
		if a.To.ID != id || a.To.Text != text || a.Evidence != 5 {
			t.Errorf("%+v, want one to %d %q of 5", a, id, text)
		}
	}
}

// A merge that was refused does not come back, whatever else is seen. Others stay.
func TestMergesThatWereRefused(t *testing.T) {
	t.Parallel()
	wrong, right := each("the daemon % did not answer in time", names), each("no room for file % on the backup disk", names)
	messages := slices.Concat(wrong, right)
	text, id := masked("the daemon <*> did not answer in time")
	apart := pipeline.Pattern{ID: id, Text: text}
	check := func(apart pipeline.Pattern, messages []string, alone int) {
		t.Helper()
		for i, got := range resolved(messages, apart) {
			if own, _ := masked(messages[i]); (got == own) != (i < alone) {
				t.Errorf("%q is %q", messages[i], got)
			}
		}
	}
	check(apart, messages, len(wrong))
	check(apart, slices.Concat(wrong, each("the daemon % did not answer in 5 times", names)), len(wrong))
	one, oneID := masked(wrong[0])
	check(pipeline.Pattern{ID: oneID, Text: one}, messages, 1)

	// Parentheses that hold a placeholder vanish, so the refused text does not cover what was merged into it.
	inBrackets := each("could not read the file (%) from the disk", names)
	text, id = masked("could not read the file (<*>) from the disk")
	check(pipeline.Pattern{ID: id, Text: text}, inBrackets, len(inBrackets))
}

// What older rules made becomes a case of what the present ones make of it; what names no text is left alone.
func TestPatternsOfOtherRules(t *testing.T) {
	t.Parallel()
	const text = "job <num> of None failed"
	marks, _ := parsePattern(text)
	now, nowID := masked(text)
	aliases := Merge([]pipeline.Pattern{{ID: idOf(1, marks), Text: text}, {ID: 5, Text: "a stack trace"}, {ID: idOf(ruleVersion+1, marks), Text: text}}, nil)
	want := pipeline.Alias{From: idOf(1, marks), To: pipeline.Pattern{ID: nowID, Text: now}, Evidence: 1}
	if len(aliases) != 1 || aliases[0] != want {
		t.Errorf("aliases %+v, want %+v", aliases, want)
	}
}

func TestCases(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, general string
		want          bool
	}{
		{"a b c", "a \x00 c", true}, {"a c", "a \x00 c", false}, {"a b b c", "a \x00 c", true}, {"a b c d", "a \x00 c", false},
		{"a \x00 c", "a \x00 c", true}, {"a b", "a \x00", true}, {"a ", "a \x00", false}, {"", "", true}, {"a", "", false},
		{"b a b a", "\x00 a", true}, {"xayaza", "\x00a\x00a", true}, {"a", "\x00", true}, {"", "\x00", false},
	}
	for _, tt := range tests {
		if got := isCase([]byte(tt.text), []byte(tt.general)); got != tt.want {
			t.Errorf("isCase(%q, %q) = %v", tt.text, tt.general, got)
		}
	}
}

func TestMinerCounts(t *testing.T) {
	t.Parallel()
	m := NewMiner()
	for _, s := range each("the daemon % did not answer in time", "alice bob alice carol dave alice") {
		m.Add(&pipeline.Event{Message: s})
	}
	for range 3 {
		m.Add(&pipeline.Event{Message: "job 7 failed"})
	}
	if s := m.Add(&pipeline.Event{}); s != (Sighting{}) || m.Final(s) != 0 {
		t.Errorf("an event without a message has the sighting %+v", s)
	}
	var got []string
	for _, p := range m.Close() {
		got = append(got, fmt.Sprintf("%d %s: %s", p.Count, p.Text, p.Example))
	}
	want := []string{
		"6 the daemon <*> did not answer in time: the daemon alice did not answer in time",
		"3 job <num> failed: job 7 failed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// However many patterns there are, memory is bounded and every event is counted under the id that Final tells.
func TestMinerWithTooManyPatterns(t *testing.T) {
	t.Parallel()
	const limit = 30
	m := newMiner(limit)
	counts := map[int64]int64{}
	var seen []Sighting
	for i := range 5000 {
		word := letters(i)
		seen = append(seen, m.Add(&pipeline.Event{Message: letters(i%7) + " b c " + word + " " + letters(i*31)}))
		if n := len(m.kept.byID); n > limit+limit/8 {
			t.Fatalf("%d patterns are kept", n)
		}
	}
	all := m.Close()
	for _, s := range seen {
		counts[m.Final(s)]++
	}
	if len(all) > limit+limit/10+1 || len(all) != len(counts) {
		t.Errorf("%d patterns for %d ids", len(all), len(counts))
	}
	for _, p := range all {
		if counts[p.ID] != p.Count {
			t.Errorf("%q was counted %d times and has %d lines", p.Text, p.Count, counts[p.ID])
		}
		if _, id := masked(p.Text); id != p.ID {
			t.Errorf("%q has the id %d, not its own", p.Text, p.ID)
		}
	}
}

// letters writes a number in letters.
func letters(n int) string {
	s := ""
	for ok := true; ok; ok = n > 0 {
		s += string(rune('g' + n%16))
		n /= 16
	}
	return s + "q"
}
