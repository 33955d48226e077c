package analyze

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"logflume/pipeline"
)

// benchMessages are error messages of about 70 bytes each.
var benchMessages = []string{
	"unhandled exception in request 550e8400-e29b-41d4-a716-446655440000",
	"database error on orders: deadlock detected, pid 48211 waits for transaction 99123",
	"connection refused by 10.12.0.7:5432 after 3 attempts, giving up for 30s",
	"timeout after 1520.3ms calling search-7 (deadline 1500ms)",
	"payment 7b0c1a9e-3f52-4c1e-9b0a-0c9d1e2f3a4b declined: \"invalid_grant\"",
	"could not open /var/lib/app/uploads/4711.json: no such file or directory",
	"failed to deliver webhook 123e4567-e89b-12d3-a456-426614174000 after 5 attempts",
	"java.net.SocketTimeoutException: Read timed out after 30.5s from db.example.com:443",
	"import of /srv/data/export-77.csv aborted at row 880123, 12 rows rejected",
	"cache cache-3 unreachable: connection reset by peer (attempt 4 of 5)",
}

// BenchmarkMask masks and looks the id up among 100,000 others, as the sink's cache of known patterns does.
func BenchmarkMask(b *testing.B) {
	known := make(map[int64]struct{}, 100_000)
	var m masker
	bytes := 0
	for i := range int64(100_000) {
		known[i*0x9e3779b97f4a7c] = struct{}{}
	}
	for _, s := range benchMessages {
		known[m.mask(s)] = struct{}{}
		bytes += len(s)
	}
	b.SetBytes(int64(bytes / len(benchMessages)))
	b.ReportAllocs()
	text := make([]byte, 0, 1024)
	i := 0
	for b.Loop() {
		id := m.mask(benchMessages[i%len(benchMessages)])
		i++
		if _, ok := known[id]; !ok {
			b.Fatal("unknown")
		}
		text = m.appendText(text[:0])
	}
}

// BenchmarkMaskLogHub masks the lines of real systems, 2,000 each. The figure is that of one line with its text.
func BenchmarkMaskLogHub(b *testing.B) {
	for _, path := range labelledFiles(b) {
		messages := contents(b, path)
		b.Run(filepath.Base(filepath.Dir(path)), func(b *testing.B) {
			var m masker
			text := make([]byte, 0, 1024)
			i := 0
			for b.Loop() {
				m.mask(messages[i])
				text = m.appendText(text[:0])
				if i++; i == len(messages) {
					i = 0
				}
			}
		})
	}
}

// BenchmarkAggregate adds flushes of 5,000 events in the order of time, of 12 services and 30 endpoints, and writes out
// their shares. The figure is that of one event.
func BenchmarkAggregate(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	batch := &pipeline.Batch{}
	for i := range 5000 {
		e := pipeline.Event{
			Time: 1_790_000_000_000_000 + int64(i)*2000, Service: fmt.Sprintf("service-%02d", r.IntN(12)), Level: "INFO",
			Endpoint: fmt.Sprintf("/api/v1/endpoint-%02d/{n}", r.IntN(30)), Status: 200,
			ResponseTime: math.Exp(r.NormFloat64()*1.5 + 4.4), UserID: fmt.Sprint(1 + r.IntN(100_000)),
			TenantID: fmt.Sprintf("t-%04d", r.IntN(250)), TraceID: fmt.Sprintf("%032x", r.Uint64()),
		}
		if r.IntN(100) < 7 {
			e.Level, e.Status, e.Message = "ERROR", 500, benchMessages[r.IntN(len(benchMessages))]
		}
		batch.Events = append(batch.Events, e)
	}
	New(Options{})().Process(batch)
	for _, part := range []struct {
		name string
		rows bool
	}{{"add", false}, {"add+rows", true}} {
		b.Run(part.name, func(b *testing.B) {
			a := NewAggregate(Options{})
			bytes := 0
			b.ReportAllocs()
			for b.Loop() {
				a.Add(batch)
				if part.rows {
					bytes = 0
					a.Rows(func(s *pipeline.Share) {
						bytes += len(s.ErrorPatterns) + len(s.PerformanceIssues) + len(s.Summary)
					})
				}
				a.Reset()
			}
			n := float64(len(batch.Events))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/event")
			b.ReportMetric(float64(bytes)/n, "JSONbytes/event")
		})
	}
}

// BenchmarkMaskHostile masks messages that invite quadratic time. The figure to watch is that of one byte.
func BenchmarkMaskHostile(b *testing.B) {
	for _, unit := range []string{
		"(", "'", "'a ", "'a 'b\"c ", "a:", "1:a", "a/1@", "9", "a1.", "[::", "[1:2:3", "<1", "for user ", "5 (6) ", "() ", ",1;(", "?=&/", "語1", "Wed Jan ",
		"http://", "-+.~", "\"a\":", "#$", "x=", "select ", "select a from 'b",
	} {
		b.Run(unit, func(b *testing.B) {
			s := strings.Repeat(unit, 1<<20/len(unit))
			var m masker
			for b.Loop() {
				m.mask(s)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/maxMessage, "ns/byte")
		})
	}
}
