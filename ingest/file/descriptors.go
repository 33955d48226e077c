package file

import (
	"math"
	"syscall"
)

// files returns how many files may be held open: of the descriptors that the process may have a quarter, at most 1,024,
// is left for followed files (which take a second one), connections and everything else.
func (o *Options) files() int {
	if o.mostFiles > 0 {
		return o.mostFiles
	}
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	if err != nil || uint64(limit.Cur) > math.MaxInt32 { //nolint:unconvert // it is signed on some systems
		return math.MaxInt32
	}
	most := int(limit.Cur)
	return most - min(most/4, 1024)
}
