package chaos

import (
	"maps"
	"slices"
)

// An Account is what the tables must account for.
type Account struct {
	Lines     map[string]int64 // by their writer: numbers from 1 up to this have a row each
	Joined    int64            // lines that went into those rows beyond the first of each
	Dead      map[string]int64 // dead letters, by their reason
	LostBytes int64            // cut off before they could be read

	// What rotations destroyed before every reader could have it. It may be in the tables all the same, since somebody who
	// reads along may have been in time.
	Gone      map[string][]int64 // numbers, by their writer
	GoneBytes int64              // at most, of these lines and those written in the same rotations
}

// arguments returns what the queries of examinations are given.
func (a Account) arguments() []any {
	writers, lines := columns(a.Lines)
	reasons, letters := columns(a.Dead)
	goneWriters, goneNumbers := a.pairs()
	return []any{writers, lines, reasons, letters, a.Joined, a.LostBytes, goneWriters, goneNumbers, a.GoneBytes}
}

// columns returns the keys in order, and their counts.
func columns(counts map[string]int64) (keys []string, values []int64) {
	keys, values = []string{}, []int64{} // not NULL
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		keys, values = append(keys, key), append(values, counts[key])
	}
	return keys, values
}

// gone returns how many numbers are.
func (a Account) gone() (n int64) {
	for _, numbers := range a.Gone {
		n += int64(len(numbers))
	}
	return n
}

// pairs returns the writers and numbers of what is gone, side by side.
func (a Account) pairs() (writers []string, numbers []int64) {
	writers, numbers = []string{}, []int64{} // not NULL
	for writer, gone := range a.Gone {
		for _, n := range gone {
			writers, numbers = append(writers, writer), append(numbers, n)
		}
	}
	return writers, numbers
}
