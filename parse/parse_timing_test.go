package parse

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"logflume/pipeline"
)

// BenchmarkParse parses lines of the sample corpus in batches of about 256 KiB.
func BenchmarkParse(b *testing.B) { benchmarkParse(b, corpus(b, 20_000)) }

// BenchmarkParseLogfmt parses the same events as lines of logfmt.
func BenchmarkParseLogfmt(b *testing.B) {
	var lines []string
	for _, line := range corpus(b, 20_000) {
		if !gjson.Valid(line) {
			continue
		}
		pairs := ""
		gjson.Parse(line).ForEach(func(key, value gjson.Result) bool {
			if text := value.String(); strings.ContainsAny(text, "\" =\n") {
				pairs += key.Str + "=" + strconv.Quote(text) + " "
			} else {
				pairs += key.Str + "=" + text + " "
			}
			return true
		})
		lines = append(lines, pairs)
	}
	benchmarkParse(b, lines)
}

// BenchmarkParseText parses lines of text that begin with a time and a level.
func BenchmarkParseText(b *testing.B) {
	var lines []string
	for i := range 20_000 {
		lines = append(lines, fmt.Sprintf("2026-01-15 08:%02d:%02d,%03d ERROR [worker-%d] com.example.Pool - connection %d of 20 was refused",
			i/60%60, i%60, i%1000, i%8, i%20))
	}
	benchmarkParse(b, lines)
}

func benchmarkParse(b *testing.B, lines []string) {
	var batches []*pipeline.Batch
	bytes := 0
	for len(lines) > 0 {
		n := min(len(lines), 590)
		batch := batchOf(lines[:n]...)
		bytes += len(batch.Arena)
		batches = append(batches, batch)
		lines = lines[n:]
	}
	p, _ := newParser(b, Options{})
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, batch := range batches {
			batch.Events, batch.Dead, batch.Text = batch.Events[:0], batch.Dead[:0], batch.Text[:0]
			p.Process(batch)
			n += len(batch.Lines)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/line")
}

// BenchmarkScan only scans the same lines.
func BenchmarkScan(b *testing.B) {
	s := newScanner(standardNames)
	eachLine(b, func(line []byte) {
		if line[0] == '{' {
			s.object(line, 0)
		}
	})
}

// BenchmarkValid is gjson's check of the same lines: a yardstick for the machine, which may be busy.
func BenchmarkValid(b *testing.B) { eachLine(b, func(line []byte) { gjson.ValidBytes(line) }) }

func eachLine(b *testing.B, do func(line []byte)) {
	var lines [][]byte
	bytes := 0
	for _, line := range corpus(b, 20_000) {
		lines = append(lines, []byte(line))
		bytes += len(line)
	}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			do(line)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/line")
}
