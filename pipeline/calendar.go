package pipeline

import (
	"sync"
	"time"
)

// MonthAge is the age in days from which events are kept in partitions of a month.
const MonthAge = 60

// A Calendar decides under which days events may be stored. Days from yesterday on are always admitted; earlier ones
// while the partitions made for them stay within a bound, so that a wild clock cannot fill the catalogue. Safe for
// concurrent use.
type Calendar struct {
	limit int
	now   func() time.Time

	mu    sync.Mutex
	slots map[int32]struct{} // first days of partitions that exist or were admitted
	made  int                // of those, how many were admitted for days before yesterday
}

// NewCalendar bounds the partitions made for past days to limit. now is the clock, time.Now outside tests.
func NewCalendar(limit int, now func() time.Time) *Calendar {
	return &Calendar{limit: limit, now: now, slots: map[int32]struct{}{}}
}

// Day returns the number of days from the Unix epoch to t, a time in microseconds.
func Day(t int64) int32 {
	const day = 24 * 60 * 60 * 1_000_000
	d := t / day
	if t%day < 0 {
		d--
	}
	return int32(d)
}

// Admit reports whether events of that day may be stored under it.
func (c *Calendar) Admit(day int32) bool {
	today := Day(c.now().UnixMicro())
	if day >= today-1 {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.slots[day]; ok { // a partition of that very day exists, however old
		return true
	}
	slot := slotOf(day, today)
	if _, ok := c.slots[slot]; ok {
		return true
	}
	if c.made >= c.limit {
		return false
	}
	c.made++
	c.slots[slot] = struct{}{}
	return true
}

// Exists records partitions that are in the database, covering the days from first up to but not including end.
func (c *Calendar) Exists(first, end int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for d := first; d < end; d++ {
		c.slots[d] = struct{}{}
	}
}

// slotOf returns the first day of the partition that day belongs to.
func slotOf(day, today int32) int32 {
	if today-day < MonthAge {
		return day
	}
	t := time.Unix(int64(day)*86400, 0).UTC()
	return day - int32(t.Day()) + 1
}
