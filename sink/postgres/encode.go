package postgres

import (
	"slices"

	"logflume/pipeline"
)

// eventColumns are the columns of log_events in the order in which [Encoder] writes them, which is the table's.
var eventColumns = []string{
	"timestamp", "pattern_id", "source_offset", "response_time", "source_id", "status", "slow",
	"level", "service", "hostname", "logger", "endpoint", "method", "message", "exception",
	"trace_id", "user_id", "tenant_id", "client_ip", "location", "browser", "attrs",
}

// An Encoder is the last stage of a worker: it writes every event with Fate Keep as a tuple of binary COPY into the
// batch's Rows. It has no state, so all workers may share one.
type Encoder struct{}

// Process fills b.Rows, b.RowEnds and b.Days.
func (Encoder) Process(b *pipeline.Batch) {
	source := b.Stream.ID
	rows, ends, days := b.Rows[:0], b.RowEnds[:0], b.Days[:0]
	for i := range b.Events {
		e := &b.Events[i]
		if e.Fate != pipeline.Keep {
			continue
		}
		rows = appendEvent(rows, e, source)
		ends = append(ends, len(rows))
		if day := pipeline.Day(e.Time); len(days) == 0 || days[len(days)-1] != day {
			days = addDay(days, day)
		}
	}
	b.Rows, b.RowEnds, b.Days = rows, ends, days
}

// addDay puts day last, where the next event most likely finds it.
func addDay(days []int32, day int32) []int32 {
	if i := slices.Index(days, day); i >= 0 {
		last := len(days) - 1
		days[i], days[last] = days[last], days[i]
		return days
	}
	return append(days, day)
}

// appendEvent writes one tuple, its columns in the order of eventColumns.
func appendEvent(p []byte, e *pipeline.Event, source int32) []byte {
	p = appendColumns(p, len(eventColumns))
	p = appendTime(p, e.Time)
	if e.PatternID == 0 {
		p = appendNull(p)
	} else {
		p = appendInt64(p, e.PatternID)
	}
	p = appendInt64(p, e.Offset)
	p = appendReal(p, e.ResponseTime)
	p = appendInt32(p, source)
	if e.Status == 0 {
		p = appendNull(p)
	} else {
		p = appendInt16(p, e.Status)
	}
	p = appendBool(p, e.Slow)
	p = appendOptional(p, e.Level)
	p = appendOptional(p, e.Service)
	p = appendOptional(p, e.Hostname)
	p = appendOptional(p, e.Logger)
	p = appendOptional(p, e.Endpoint)
	p = appendOptional(p, e.Method)
	p = appendOptional(p, e.Message)
	p = appendOptional(p, e.Exception)
	p = appendOptional(p, e.TraceID)
	p = appendOptional(p, e.UserID)
	p = appendOptional(p, e.TenantID)
	p = appendInet(p, e.ClientIP)
	p = appendOptional(p, e.Location)
	p = appendOptional(p, e.Browser)
	return appendObject(p, e.Attrs, e.Extra)
}
