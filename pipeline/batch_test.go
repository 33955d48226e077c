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
