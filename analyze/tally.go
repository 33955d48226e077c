package analyze

// A tally counts a few different keys, in the order in which they were first seen.
type tally[K comparable] struct {
	keys   []K
	counts []int64
	other  int64 // of keys beyond maxKeys
}

const maxKeys = 64

func (t *tally[K]) add(key K) {
	for i := range t.keys {
		if t.keys[i] == key {
			t.counts[i]++
			return
		}
	}
	if len(t.keys) == maxKeys {
		t.other++
		return
	}
	t.keys = append(t.keys, key)
	t.counts = append(t.counts, 1)
}

func (t *tally[K]) reset() {
	clear(t.keys)
	t.keys, t.counts, t.other = t.keys[:0], t.counts[:0], 0
}
