package parse

import (
	"math"
	"testing"

	"logflume/pipeline"
)

// BenchmarkFilter evaluates rules on an event that matches neither, as most do; unequal keeps it.
func BenchmarkFilter(b *testing.B) {
	for name, rules := range map[string][2]string{
		"example": {`endpoint == "/healthz"`, `level in ["ERROR","CRITICAL"] or response_time > 1000`},
		"unequal": {`status != 200`, `status != 404`},
		"machine": {``, `len(message) > 1000`},
	} {
		b.Run(name, func(b *testing.B) {
			f, err := NewFilter(rules[0], rules[1], 0.01)
			if err != nil {
				b.Fatal(err)
			}
			batch := &pipeline.Batch{Stream: pipeline.NewStream(pipeline.Checkpoint{Key: "k"}), Events: make([]pipeline.Event, 500)}
			for i := range batch.Events {
				batch.Events[i] = pipeline.Event{Level: "INFO", Endpoint: "/users/{n}", Status: 200, ResponseTime: math.NaN(), Offset: int64(i)}
			}
			p := f.Processor(&pipeline.Stats{})
			b.ReportAllocs()
			for b.Loop() {
				for i := range batch.Events {
					batch.Events[i].Fate = pipeline.Keep
				}
				p.Process(batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch.Events)), "ns/event")
		})
	}
}
