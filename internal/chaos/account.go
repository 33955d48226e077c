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
}

// arguments returns what the queries of examinations are given.
func (a Account) arguments() []any {
	writers, lines := columns(a.Lines)
	reasons, letters := columns(a.Dead)
	return []any{writers, lines, reasons, letters, a.Joined, a.LostBytes}
}

// columns returns the keys in order, and their counts.
func columns(counts map[string]int64) (keys []string, values []int64) {
	keys, values = []string{}, []int64{} // not NULL
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		keys, values = append(keys, key), append(values, counts[key])
	}
	return keys, values
}
