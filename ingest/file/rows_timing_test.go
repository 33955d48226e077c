package file

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"logflume/pipeline"
)

// BenchmarkRows holds the rows of 100,000 files that were read to their end, as a process does from its start on, and reports
// the memory of one.
func BenchmarkRows(b *testing.B) {
	const files = 100_000
	list := make([]pipeline.Checkpoint, files)
	for i := range list {
		p := place{Device: 1, Inode: uint64(i)}
		path := fmt.Sprintf("/var/log/pods/shop_web-%d/web/0.log.20261123-100001.gz", i)
		n := notes{Path: path, Found: path, place: p, Head: mark{Len: 1024}, Anchor: mark{Len: 128}, Closed: true,
			Size: 10 << 20, Trail: trail(strings.Repeat("x", 64))}
		list[i] = pipeline.Checkpoint{ID: int32(i), Key: keyOf("host", p, 1), Position: 10 << 20, Meta: n.encode()}
	}
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		m := newRows("host")
		for _, c := range list {
			if _, err := m.put(c); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(m)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/files, "B/row")
}
