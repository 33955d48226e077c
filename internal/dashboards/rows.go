package main

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	copyWindows = "COPY " + schemaName + `.log_analytics (timestamp, window_seconds, service, rolled, in_blocks, error_patterns,
		performance_issues, summary, packed_overall, endpoints, histograms) FROM STDIN`
	copyBlocks = "COPY " + schemaName + `.log_endpoints (timestamp, window_seconds, service, endpoints, hashes, requests, slow,
		total_ms, max_ms, histograms, classes) FROM STDIN`
	enough = 16 << 20 // bytes to be sent at once
	point  = 201      // first bucket before the point of a packed histogram
)

// rows collects rows as text for COPY. Nothing in them needs to be escaped.
type rows struct {
	windows, blocks bytes.Buffer
}

// send sends what there is if it is enough, or in any case.
func (r *rows) send(ctx context.Context, conn *pgx.Conn, anyway bool) error {
	if !anyway && r.windows.Len()+r.blocks.Len() < enough {
		return nil
	}
	if _, err := conn.PgConn().CopyFrom(ctx, &r.windows, copyWindows); err != nil {
		return err
	}
	_, err := conn.PgConn().CopyFrom(ctx, &r.blocks, copyBlocks)
	r.windows.Reset()
	r.blocks.Reset()
	return err
}

// window adds a row of log_analytics.
func (r *rows) window(w *window, at time.Time, width time.Duration, rolled, inBlocks bool) {
	b := begin(r.windows.AvailableBuffer(), w, at, width)
	b = append(strconv.AppendBool(b, rolled), '\t')
	b = append(strconv.AppendBool(b, inBlocks), '\t')
	b = append(append(b, w.patternList(at, int(width.Seconds()))...), '\t')
	b = append(append(b, w.issues(at)...), '\t')
	b = append(append(b, w.summary()...), '\t')
	first, counts := w.overall()
	b = append(appendPacked(b, first, counts), '\t')
	if width < time.Hour {
		b = append(w.appendList(b, w.appendRoute), '\t')
		b = append(w.appendList(b, w.appendHistogram), '\n')
	} else {
		b = append(b, `\N`+"\t"+`\N`+"\n"...)
	}
	r.windows.Write(b)
}

// block adds a row of log_endpoints.
func (r *rows) block(w *window, at time.Time, width time.Duration) {
	b := begin(r.blocks.AvailableBuffer(), w, at, width)
	number := func(value func(i int) int64) {
		b = append(w.appendList(b, func(b []byte, i int) []byte { return strconv.AppendInt(b, value(i), 10) }), '\t')
	}
	b = append(w.appendList(b, w.appendRoute), '\t')
	number(func(i int) int64 { return w.service.endpoints[i].hash })
	number(w.requestsOf)
	number(func(i int) int64 { return w.requestsOf(i) / 1000 })
	number(func(i int) int64 { return w.requestsOf(i) * 100 })
	number(func(i int) int64 { return 10_000 })
	b = append(w.appendList(b, w.appendHistogram), '\t')
	if width < time.Hour {
		b = append(b, `\N`+"\n"...)
	} else {
		b = append(w.appendList(b, w.appendClasses), '\n')
	}
	r.blocks.Write(b)
}

func begin(b []byte, w *window, at time.Time, width time.Duration) []byte {
	b = append(at.UTC().AppendFormat(b, time.RFC3339), '\t')
	b = append(strconv.AppendInt(b, int64(width.Seconds()), 10), '\t')
	return append(append(b, w.service.name...), '\t')
}

// appendList appends an array with an element for each endpoint that has requests.
func (w *window) appendList(b []byte, element func(b []byte, i int) []byte) []byte {
	b = append(b, '{')
	for i := range w.histogram {
		if w.requestsOf(i) > 0 {
			b = append(element(append(b, '"'), i), '"', ',')
		}
	}
	return end(b, '}')
}

func (w *window) appendRoute(b []byte, i int) []byte {
	return append(b, w.service.endpoints[i].route...)
}

func (w *window) appendHistogram(b []byte, i int) []byte {
	return appendPacked(b, w.service.endpoints[i].first, w.histogram[i])
}

// appendClasses appends a packed histogram of classes of eight buckets.
func (w *window) appendClasses(b []byte, i int) []byte {
	class := func(bucket int) int { return (bucket + 1400 + 7) / 8 } // its last bucket is 8 * class - 1400
	bucket, counts := w.service.endpoints[i].first, w.histogram[i]
	first := class(bucket)
	classes := make([]int64, class(bucket+len(counts)-1)-first+1)
	for k, n := range counts {
		classes[class(bucket+k)-first] += n
	}
	return appendPacked(b, first, classes)
}

// appendPacked appends a packed histogram: twelve digits for each bucket, the highest first. Those before the point say how
// many requests are in the bucket and above, the others how many are in it and below.
func appendPacked(b []byte, first int, counts []int64) []byte {
	for len(counts) > 0 && counts[len(counts)-1] == 0 {
		counts = counts[:len(counts)-1]
	}
	for len(counts) > 0 && counts[0] == 0 {
		counts, first = counts[1:], first+1
	}
	if len(counts) == 0 {
		return append(b, `\N`...)
	}
	count := func(bucket int) int64 {
		if i := bucket - first; i >= 0 && i < len(counts) {
			return counts[i]
		}
		return 0
	}
	last := first + len(counts) - 1
	var above, below int64
	for k := last; k >= point; k-- {
		above += count(k)
		b = appendDigits(b, above)
	}
	for k := first; k < point; k++ {
		below += count(k)
	}
	b = append(b, '.')
	for k := point - 1; k >= first; k-- {
		b = appendDigits(b, below)
		below -= count(k)
	}
	return b
}

// appendDigits appends a number with twelve digits.
func appendDigits(b []byte, n int64) []byte {
	at := len(b)
	b = append(b, "000000000000"...)
	for j := at + 11; n > 0; n, j = n/10, j-1 {
		b[j] += byte(n % 10)
	}
	return b
}
