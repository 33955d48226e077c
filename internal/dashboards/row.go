package main

import (
	"math"
	"math/bits"
	"strconv"
	"time"
)

func (w *window) patternList(at time.Time, seconds int) []byte {
	b := []byte{'['}
	first, last := at.Format(time.RFC3339Nano), at.Add(time.Duration(seconds)*time.Second-1).Format(time.RFC3339Nano)
	for i, n := range w.counts {
		if n == 0 {
			continue
		}
		text := w.service.name + " cannot reach <host> for order <num>, attempt of kind " + strconv.Itoa(i)
		b = append(strconv.AppendInt(append(b, `{"pattern_id":`...), int64(mix(uint64(len(w.service.endpoints)*1000+i))), 10), `,"pattern":`...)
		b = strconv.AppendInt(append(strconv.AppendQuote(b, text), `,"count":`...), n, 10)
		b = append(append(append(b, `,"level":"ERROR","first":"`...), first...), `","last":"`...)
		b = append(strconv.AppendQuote(append(append(b, last...), `","sample":`...), text), '}', ',')
	}
	return end(b, ']')
}

func (w *window) issues(at time.Time) []byte {
	b := []byte{'['}
	for i := range min(100, w.requests/1000) {
		e := &w.service.endpoints[int(i)%len(w.service.endpoints)]
		b = append(strconv.AppendQuote(append(b, `{"endpoint":`...), e.route), `,"response_time":`...)
		b = append(strconv.AppendInt(b, 5000-i, 10), `,"timestamp":"`...)
		b = append(at.AppendFormat(b, time.RFC3339), `","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"},`...)
	}
	return end(b, ']')
}

func (w *window) summary() []byte {
	b := []byte{'{'}
	number := func(name string, n int64) {
		b = append(strconv.AppendInt(append(strconv.AppendQuote(b, name), ':'), n, 10), ',')
	}
	number("total_logs", 2*w.requests)
	number("kept", w.requests)
	number("total_errors", w.errors)
	number("rest_errors", 0)
	number("unique_patterns", patterns)
	number("requests", w.requests)
	number("failed", w.errors)
	number("slow_requests", w.requests/1000)
	b = append(b, `"levels":{"INFO":1,"ERROR":1},"statuses":{"200":1,"500":1},"users":"`...)
	b = append(appendRegisters(b, w.users), `","tenants":"`...)
	seen := make([]uint8, registers)
	for i := range uint64(tenants) {
		seen[mix(i)>>52] = 1
	}
	b = append(append(appendRegisters(b, seen), `","patterns":"`...), `","latency":{`...)
	for i := range w.service.endpoints {
		if w.requestsOf(i) == 0 {
			continue
		}
		e := &w.service.endpoints[i]
		b = append(strconv.AppendQuote(b, e.route), ':')
		b = append(appendHistogram(b, e.first, w.histogram[i], e.hash), ',')
	}
	return append(end(b, '}'), '}')
}

// appendHistogram appends a histogram with the counts of consecutive buckets.
func appendHistogram(b []byte, first int, counts []int64, hash int64) []byte {
	var n int64
	for _, c := range counts {
		n += c
	}
	b = strconv.AppendInt(append(b, `{"n":`...), n, 10)
	b = strconv.AppendInt(append(b, `,"sum":`...), 100*n, 10)
	b = strconv.AppendFloat(append(b, `,"max":`...), math.Pow(gamma, float64(first+len(counts)-1)), 'f', 3, 64)
	b = strconv.AppendInt(append(b, `,"slow":`...), n/1000, 10)
	b = strconv.AppendInt(append(b, `,"h":`...), hash, 10)
	b = append(b, `,"k":"`...)
	for k, c := range counts {
		if c > 0 {
			b = append(strconv.AppendInt(b, int64(first+k), 10), ' ')
		}
	}
	b = append(closeList(b), `,"c":"`...)
	for _, c := range counts {
		if c > 0 {
			b = append(strconv.AppendInt(b, c, 10), ' ')
		}
	}
	return append(closeList(b), '}')
}

func appendRegisters(b []byte, rhos []uint8) []byte {
	n := len(b)
	for i, rho := range rhos {
		if rho > 0 {
			b = append(strconv.AppendInt(b, int64(i)<<6+int64(rho), 10), ' ')
		}
	}
	return b[:max(n, len(b)-1)]
}

func closeList(b []byte) []byte {
	if b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return append(b, '"')
}

// end closes an array or object whose members are each followed by a comma.
func end(b []byte, bracket byte) []byte {
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, bracket)
}

// mix mixes a number into 64 bits.
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

func leadingZeros(n uint64) int { return bits.LeadingZeros64(n) }
