package pipeline

import (
	"strings"
	"testing"
)

func TestLedgerCountsEveryLineOnce(t *testing.T) {
	b := &Batch{From: 100, To: 160, Bytes: 60, Lost: 2, Arena: []byte("abcdef")}
	for i := range 6 {
		b.Lines = append(b.Lines, Line{Offset: int64(100 + 10*i), Start: i, End: i + 1, Length: 1})
	}
	b.Events = []Event{
		{Line: 0, Fate: Keep}, {Line: 0, Fate: Keep}, // an array of two
		{Line: 1, Fate: Refuse},
		{Line: 2, Fate: Drop},
		{Line: 3, Fate: Rejected},
		{Line: 4, Fate: Keep}, {Line: 4, Fate: Rejected}, // one element stored, one refused by Postgres: kept
	}
	b.Reject(3, "postgres")
	b.Reject(4, "postgres")
	b.Reject(5, "json")
	want := Ledger{Lines: 6, Kept: 2, Filtered: 2, Dead: 2, Events: 3, Analysed: 6, Bytes: 60, Lost: 2}
	if got := b.Ledger(); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func TestRejectKeepsTheHeadOfALongLine(t *testing.T) {
	head := strings.Repeat("x", MaxDeadLetter)
	for _, c := range []struct {
		name      string
		arena     string
		length    int64
		truncated bool
	}{
		{"whole", "abc", 3, false},
		{"head only, cut by the reader", head, 1 << 20, true},
		{"cut here", head + "tail", MaxDeadLetter + 4, true},
	} {
		b := &Batch{Arena: []byte(c.arena), Lines: []Line{{Offset: 7, End: len(c.arena), Length: c.length}}}
		b.Reject(0, "reason")
		d := b.Dead[0]
		if d.Length != c.length || d.Truncated != c.truncated || len(d.Raw) > MaxDeadLetter || d.Offset != 7 {
			t.Errorf("%s: length %d, truncated %v, raw %d, offset %d", c.name, d.Length, d.Truncated, len(d.Raw), d.Offset)
		}
	}
}

// joinedBatch has a trace in lines 0, 2 and 3, another line within it, and one joined line after it.
func joinedBatch() *Batch {
	b := &Batch{Arena: []byte("head\nother\n  one\n\n  two\nthree\n  four\n")}
	for _, span := range [][2]int{{0, 4}, {5, 10}, {11, 16}, {18, 23}, {24, 29}, {30, 36}} {
		b.Lines = append(b.Lines, Line{Offset: int64(span[0]), Start: span[0], End: span[1], Length: int64(span[1] - span[0])})
	}
	b.Join(0, 2)
	b.Join(2, 3)
	b.Join(4, 5)
	return b
}

func TestJoinedLinesShareTheClassOfTheirEvent(t *testing.T) {
	b := joinedBatch()
	b.Events = []Event{{Line: 0, Fate: Keep}, {Line: 1, Fate: Drop}}
	b.Reject(4, "broken")
	if got, want := b.Ledger(), (Ledger{Lines: 6, Kept: 3, Filtered: 1, Dead: 2, Events: 1, Analysed: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if d := b.Dead[0]; d.Lines != 2 || string(d.Raw) != "three\n  four" || d.Length != 12 || d.Event != WholeLine {
		t.Errorf("dead letter %+v", d)
	}
}

func TestRawJoinedLeavesOutWhatStandsBetween(t *testing.T) {
	b := joinedBatch()
	for i, want := range map[int]string{0: "head\n  one\n  two", 1: "other", 4: "three\n  four"} {
		if got := string(b.RawJoined(i)); got != want {
			t.Errorf("line %d: %q, want %q", i, got, want)
		}
	}
}

// The letters of one line hold its lines once, so that they can be given back one by one.
func TestLettersOfALineCountItOnce(t *testing.T) {
	b := joinedBatch()
	b.Events = []Event{{Line: 0, Fate: Rejected}, {Line: 0, Index: 1, Fate: Rejected}, {Line: 1, Fate: Keep}, {Line: 1, Index: 1, Fate: Rejected}}
	b.RejectEvent(&b.Events[3], "refused")
	b.RejectEvent(&b.Events[0], "refused")
	b.RejectEvent(&b.Events[1], "refused")
	if l := b.Ledger(); l.Dead != 3 || l.Kept != 1 || l.Filtered != 2 {
		t.Errorf("ledger %+v", l)
	}
	for i, want := range []struct{ event, lines int32 }{{1, 0}, {0, 3}, {1, 0}} {
		if d := b.Dead[i]; d.Event != want.event || d.Lines != want.lines {
			t.Errorf("letter %d: event %d, %d lines", i, d.Event, d.Lines)
		}
	}
}
