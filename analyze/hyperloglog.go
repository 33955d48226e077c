package analyze

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

const (
	precision = 12
	registers = 1 << precision
	rhoBits   = 6 // an entry is register<<rhoBits | rho

	maxSparse = 128
)

// A hyperLogLog estimates how many different values there were, within 1.6 % (standard error), and merges with others
// by the greater rho of each register (Flajolet et al., AofA 2007). It is a list of entries while they are few.
type hyperLogLog struct {
	sparse []uint32 // entries, unordered, a register may occur several times
	dense  []uint8  // rho of every register; in use when it is not empty
}

// add counts a value by its 64-bit hash.
func (h *hyperLogLog) add(hash uint64) {
	register := uint32(hash >> (64 - precision))
	rho := uint32(1 + min(bits.LeadingZeros64(hash<<precision), 64-precision))
	if len(h.dense) > 0 {
		h.dense[register] = max(h.dense[register], uint8(rho))
		return
	}
	entry := register<<rhoBits | rho
	if n := len(h.sparse); n > 0 && h.sparse[n-1] == entry {
		return // most streams repeat themselves
	}
	h.sparse = append(h.sparse, entry)
	if len(h.sparse) >= maxSparse {
		h.densify()
	}
}

// compact sorts the entries and leaves the greatest of each register.
func (h *hyperLogLog) compact() {
	slices.Sort(h.sparse)
	kept := h.sparse[:0]
	for _, entry := range h.sparse {
		if n := len(kept); n > 0 && kept[n-1]>>rhoBits == entry>>rhoBits {
			kept[n-1] = entry
			continue
		}
		kept = append(kept, entry)
	}
	h.sparse = kept
}

func (h *hyperLogLog) densify() {
	if cap(h.dense) < registers {
		h.dense = make([]uint8, registers)
	}
	h.dense = h.dense[:registers]
	clear(h.dense)
	for _, entry := range h.sparse {
		register := entry >> rhoBits
		h.dense[register] = max(h.dense[register], uint8(entry&(1<<rhoBits-1)))
	}
	h.sparse = h.sparse[:0]
}

// entries calls yield for every register that is not empty, in ascending order.
func (h *hyperLogLog) entries(yield func(entry uint32)) {
	if len(h.dense) == 0 {
		h.compact()
		for _, entry := range h.sparse {
			yield(entry)
		}
		return
	}
	for register := 0; register < registers; register++ {
		if register%8 == 0 && binary.LittleEndian.Uint64(h.dense[register:]) == 0 {
			register += 7 // most are empty
			continue
		}
		if rho := h.dense[register]; rho > 0 {
			yield(uint32(register)<<rhoBits | uint32(rho))
		}
	}
}

func (h *hyperLogLog) reset() { h.sparse, h.dense = h.sparse[:0], h.dense[:0] }
