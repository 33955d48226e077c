package kafka

import "sync"

// dataPool holds *[]byte for fetched record batches.
var dataPool sync.Pool

// maxPooled is the size up to which data is used again. A fetch of one huge batch shall not make all others as large.
const maxPooled = 2 << 20

func newData(n int) []byte {
	if p, ok := dataPool.Get().(*[]byte); ok && cap(*p) >= n {
		return (*p)[:n]
	}
	return make([]byte, n)
}

func freeData(p []byte) {
	if cap(p) > 0 && cap(p) <= maxPooled {
		dataPool.Put(&p)
	}
}
