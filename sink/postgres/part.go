package postgres

import (
	"strings"

	"logflume/pipeline"
)

// tuples are encoded rows of one table.
type tuples struct {
	data []byte
	ends []int // end of each row in data
}

// span returns the bytes of the rows from a up to but not including b.
func (t tuples) span(a, b int) []byte {
	start := 0
	if a > 0 {
		start = t.ends[a-1]
	}
	return t.data[start:t.ends[b-1]]
}

// A part is what one flush brings for one stream, with everything that its transaction needs computed and encoded.
type part struct {
	stream  *pipeline.Stream
	batches []*pipeline.Batch
	from    int64
	to      int64

	ledger   pipeline.Ledger
	meta     []byte           // JSON object; nil when the batches bring none
	services map[string]int64 // the latest window of each service, in microseconds; at most maxServices
	shares   tuples
	dead     []byte // tuples of log_dead_letters
	patterns []pattern
}

func newPart(b *pipeline.Batch) *part {
	return &part{stream: b.Stream, batches: []*pipeline.Batch{b}, from: b.From, to: b.To}
}

func (p *part) add(b *pipeline.Batch) {
	p.batches = append(p.batches, b)
	p.to = b.To
}

// seal computes and encodes what the part's batches add up to.
func (p *part) seal(aggregate pipeline.Aggregate, known *patternCache) {
	p.count(aggregate)
	p.meta = joinMeta(p.batches)
	p.patterns = known.unknown(p.batches)
}

// count computes what depends on the fates of the events, which change when Postgres refuses rows.
func (p *part) count(aggregate pipeline.Aggregate) {
	p.ledger = pipeline.Ledger{}
	p.dead = p.dead[:0]
	aggregate.Reset()
	for _, b := range p.batches {
		p.ledger.Add(b.Ledger())
		for i := range b.Dead {
			p.dead = appendDeadLetter(p.dead, &b.Dead[i], p.stream.ID, b.Received)
		}
		aggregate.Add(b)
	}
	p.shares = tuples{data: p.shares.data[:0], ends: p.shares.ends[:0]}
	p.services = nil
	aggregate.Rows(func(s *pipeline.Share) {
		p.services = latest(p.services, s.Service, s.Window)
		p.shares.data = appendShare(p.shares.data, s)
		p.shares.ends = append(p.shares.ends, len(p.shares.data))
	})
}

// maxServices is how many services of a source are noted in its row, those that it last had events of.
const maxServices = 200

// latest notes the window of a service.
func latest(services map[string]int64, service string, window int64) map[string]int64 {
	if services == nil {
		services = map[string]int64{}
	}
	if last, known := services[service]; known || len(services) < maxServices {
		services[strings.Clone(service)] = max(last, window) // the share's text is valid during the call only
	}
	return services
}

// appendShare writes one tuple, its columns in the order of shareColumns.
func appendShare(p []byte, s *pipeline.Share) []byte {
	p = appendColumns(p, len(shareColumns))
	p = appendTime(p, s.Window)
	p = appendInt32(p, s.Seconds)
	p = appendOptional(p, s.Service)
	p = appendJSON(p, s.ErrorPatterns, "[]")
	p = appendJSON(p, s.PerformanceIssues, "[]")
	return appendJSON(p, s.Summary, "{}")
}

// appendDeadLetter writes one tuple, its columns in the order of deadColumns. Nothing in it can be refused: the raw
// bytes are a bytea, the reason is made valid text.
func appendDeadLetter(p []byte, d *pipeline.DeadLetter, source int32, received int64) []byte {
	raw := d.Raw[:min(len(d.Raw), pipeline.MaxDeadLetter)]
	p = appendColumns(p, len(deadColumns))
	p = appendTime(p, received)
	p = appendInt32(p, source)
	p = appendInt64(p, d.Offset)
	p = appendInt64(p, d.Length)
	p = appendText(p, storable(d.Reason))
	p = appendOptional(p, d.SQLState)
	p = appendBytes(p, raw)
	p = appendBool(p, d.Truncated || len(raw) < len(d.Raw))
	if d.Event == pipeline.WholeLine {
		p = appendNull(p)
	} else {
		p = appendInt32(p, d.Event)
	}
	return appendInt32(p, d.Lines)
}
