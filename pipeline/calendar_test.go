package pipeline

import (
	"testing"
	"time"
)

func TestCalendarBoundsPartitionsForPastDays(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	day := func(s string) int32 {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return Day(d.UnixMicro())
	}
	c := NewCalendar(3, func() time.Time { return now })
	c.Exists(day("2026-11-01"), day("2026-11-02"))
	for _, step := range []struct {
		day  string
		want bool
	}{
		{"2026-11-24", true}, // tomorrow
		{"2026-11-23", true},
		{"2026-11-22", true},
		{"2026-11-21", true}, // 1st
		{"2026-11-21", true},
		{"2026-11-01", true}, // exists
		{"2026-03-05", true}, // 2nd: the month of March
		{"2026-03-30", true},
		{"2026-11-20", true},  // 3rd
		{"2026-11-19", false}, // past the bound
		{"2025-03-05", false},
		{"2026-03-01", true},
		{"2026-11-22", true},
	} {
		if got := c.Admit(day(step.day)); got != step.want {
			t.Errorf("%s: admitted %v, want %v", step.day, got, step.want)
		}
	}
}

func TestDayRoundsDown(t *testing.T) {
	for micros, want := range map[int64]int32{0: 0, 86_400_000_000 - 1: 0, 86_400_000_000: 1, -1: -1, -86_400_000_000: -1} {
		if got := Day(micros); got != want {
			t.Errorf("Day(%d) = %d, want %d", micros, got, want)
		}
	}
}
