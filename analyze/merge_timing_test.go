package analyze

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"logflume/pipeline"
)

// manyMessages returns messages of ten words each, which make as many patterns: alike ones in which one word is out of
// thousands, or words that have nothing in common.
func manyMessages(n int, alike bool) []string {
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		b := make([]byte, 3+r.IntN(8))
		for i := range b {
			b[i] = byte('a' + r.IntN(26))
		}
		return string(b)
	}
	first := make([]string, 1000)
	for i := range first {
		first[i] = word() + " " + word() + " " + word() + " " + word()
	}
	messages := make([]string, n)
	for i := range messages {
		rest := " of the queue may not be read"
		if !alike {
			rest = " " + word() + " " + word() + " " + word() + " " + word() + " " + word()
		}
		messages[i] = first[r.IntN(len(first))] + " " + word() + rest
	}
	return messages
}

// BenchmarkMerge merges 100,000 patterns and reports the memory of the Miner that holds them, in all and when it
// merges.
func BenchmarkMerge(b *testing.B) {
	for _, kind := range []struct {
		name  string
		alike bool
	}{{"alike", true}, {"random", false}} {
		b.Run(kind.name, func(b *testing.B) {
			before := heap()
			m := NewMiner()
			for _, s := range manyMessages(MaxMined, kind.alike) {
				m.Add(&pipeline.Event{Message: s})
			}
			m.kept.trim(m.putOut)
			kept := m.kept.sorted()
			held := heap() - before
			var during float64
			for b.Loop() {
				merging := merger{limit: maxEvidence}
				merging.addFound(kept)
				merging.run()
				during = max(during, heap()-before)
				if n := len(merging.aliases()); n > 0 != kind.alike {
					b.Fatalf("%d aliases", n)
				}
			}
			b.ReportMetric(float64(len(kept)), "patterns")
			b.ReportMetric(held, "MB-held")
			b.ReportMetric(during, "MB-merging")
		})
	}
}

// heap returns how many MB are in use.
func heap() float64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return float64(s.HeapAlloc) / 1e6
}
