package parse

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// A name is what is known about a key; the zero name is nothing.
type name struct {
	index uint16 // into names.list
	field field  // the field its value goes to; unknown if it only holds others
	rank  uint8  // of two keys for one field the one with the lower rank counts
	unit  unit
	tells unit // of a logger whose bare durations have this unit; see telltales
	weak  bool // counts only in a line that looks right for it: see parser.plausible
	holds bool // its value, if it is an object, is a container
}

// An entry is a name and what is needed of it less often.
type entry struct {
	name
	key    string
	nested []nested // where to look in a container
}

// A nested name leads to a standard field inside the value of a name.
type nested struct {
	path  string // of gjson
	field field
	unit  unit
}

// names finds keys. It is built once and only read afterwards.
type names struct {
	list   []entry  // list[0] stands for an unknown key
	slots  []uint16 // indices into list by hash, open addressing; 0 is free
	shift  uint8    // turns a hash into an index into slots
	dotted []nested // configured paths into the whole object
}

// newNames joins the standard names with the configured ones, which come first. Dots in a configured name lead into
// nested objects, or belong to the key.
func newNames(configured map[string][]string) (*names, error) {
	size := 2048 // a quarter full with the standard names alone
	for _, keys := range configured {
		size += 4 * len(keys)
	}
	t := &names{list: make([]entry, 1, 512), slots: make([]uint16, 1<<bits.Len(uint(size-1)))}
	t.shift = uint8(32 - bits.TrailingZeros(uint(len(t.slots))))
	for _, fieldName := range slices.Sorted(maps.Keys(configured)) {
		f, err := fieldOf(fieldName)
		if err != nil {
			return nil, err
		}
		for rank, key := range configured[fieldName] {
			u := unitOf(key)
			n := t.put(key)
			if n.field != unknown {
				return nil, fmt.Errorf("fields: %q is named under %s and once more under %s", key, fieldNames[n.field], fieldName)
			}
			n.field, n.rank, n.unit, n.weak = f, uint8(min(rank, configuredRanks-1)), u, false
			if strings.Contains(key, ".") {
				t.dotted = append(t.dotted, nested{path: path(key), field: f, unit: u})
			}
		}
	}
	ranks := [fields]uint8{}
	for _, row := range standard {
		for _, key := range strings.Fields(row.keys) {
			rank := configuredRanks + ranks[row.field]
			ranks[row.field]++
			n := t.put(key)
			if n.field == unknown { // or configuration says otherwise
				n.field, n.rank, n.unit, n.weak = row.field, rank, row.unit, row.weak
			}
		}
	}
	for _, told := range telltales {
		t.put(told.key).tells = told.unit
	}
	for _, c := range containers {
		n := t.put(c.key)
		for _, line := range c.inside {
			for _, key := range strings.Fields(line.keys) {
				n.holds = true
				n.nested = append(n.nested, nested{path: path(key), field: line.field, unit: line.unit})
			}
		}
	}
	return t, nil
}

// configuredRanks are the ranks kept for configured names.
const configuredRanks = 32

// put returns the entry of key, making it if there is none.
func (t *names) put(key string) *entry {
	h := hash([]byte(key))
	if e := t.find([]byte(key), h); e.index != 0 {
		return e
	}
	t.list = append(t.list, entry{key: key, name: name{index: uint16(len(t.list))}})
	slot := h >> t.shift
	for t.slots[slot] != 0 {
		slot = (slot + 1) & uint32(len(t.slots)-1)
	}
	t.slots[slot] = uint16(len(t.list) - 1)
	return &t.list[len(t.list)-1]
}

// find returns the entry of key, list[0] if there is none.
func (t *names) find(key []byte, h uint32) *entry {
	slot := h >> t.shift
	for {
		e := &t.list[t.slots[slot]]
		if e.index == 0 || e.key == string(key) {
			return e
		}
		slot = (slot + 1) & uint32(len(t.slots)-1)
	}
}

// hash mixes a key's length, its first bytes and its last. Keys of logs differ in those; equal ones are compared anyway.
func hash(key []byte) uint32 {
	var first, last uint64
	n := len(key)
	switch {
	case n >= 8:
		first, last = binary.LittleEndian.Uint64(key), binary.LittleEndian.Uint64(key[n-8:])
	case n >= 4:
		first, last = uint64(binary.LittleEndian.Uint32(key)), uint64(binary.LittleEndian.Uint32(key[n-4:]))
	case n > 0:
		first, last = uint64(key[0]), uint64(key[n/2])<<8|uint64(key[n-1])
	}
	h := (first ^ bits.RotateLeft64(last, 23) + uint64(n)) * 0x9e3779b97f4a7c15
	return uint32(h >> 32)
}

// path makes a path of gjson from a name with dots; other characters lose their meaning.
func path(name string) string {
	parts := strings.Split(name, ".")
	for i := range parts {
		parts[i] = gjson.Escape(parts[i])
	}
	return strings.Join(parts, ".")
}
