package file

import (
	"math"
	"syscall"
)

// descriptors returns how many files may be held open and how many of them followed, which takes a second descriptor
// each: of the descriptors that the process may have a quarter, at most 1,024, is left for followed files, and half of
// that for connections and everything else. The runtime has raised the process's limit as far as it may.
func (o *Options) descriptors() (files, followed int) {
	if o.mostFiles > 0 {
		return o.mostFiles, maxFollowed
	}
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	if err != nil || uint64(limit.Cur) > math.MaxInt32 { //nolint:unconvert // it is signed on some systems
		return math.MaxInt32, maxFollowed
	}
	most := int(limit.Cur)
	left := min(most/4, 1024)
	return most - left, min(maxFollowed, left/2)
}
