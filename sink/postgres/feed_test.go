package postgres

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"logflume/pipeline"
)

// A feed is a source of numbered lines: the line at position n is made by line(n), so that it can be read again from
// any position, as a file can.
type feed struct {
	key   string
	path  string // of the file; any other without
	lines int64  // how many there are
	batch int64  // lines in a batch
	line  func(n int64) string

	gate   func(ctx context.Context, position int64) // called before each batch; may be nil
	fenced func(error)                               // told why a reading ended; may be nil
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// Run implements pipeline.Source: it reads until all lines are committed.
func (f *feed) Run(ctx context.Context, in *pipeline.Intake) error {
	in.Active(1)
	defer in.Active(-1)
	for ctx.Err() == nil {
		c, err := in.Checkpoints.Create(ctx, f.key, []byte(`{"path":"`+cmp.Or(f.path, "/logs/a")+`"}`))
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		err = f.read(ctx, in, pipeline.NewStream(c))
		if err == nil {
			return nil
		}
		if ctx.Err() == nil && f.fenced != nil {
			f.fenced(err)
		}
	}
	return nil
}

// read sends what is left of s and waits until it is committed.
func (f *feed) read(ctx context.Context, in *pipeline.Intake, s *pipeline.Stream) error {
	for at := s.Position; at < f.lines; {
		if f.gate != nil {
			f.gate(ctx, at)
		}
		b, err := in.Batch(ctx, s, 16<<10)
		if err != nil {
			return err
		}
		end := min(at+f.batch, f.lines)
		f.fill(b, at, end)
		if err := in.Send(ctx, b); err != nil {
			return err
		}
		at = end
	}
	return s.WaitCommitted(ctx, f.lines)
}

func (f *feed) fill(b *pipeline.Batch, from, to int64) {
	b.From, b.To, b.Bytes, b.Received = from, to, to-from, time.Now().UnixMicro()
	b.Meta = fmt.Appendf(nil, `{"last":%d}`, to)
	for n := from; n < to; n++ {
		start := len(b.Arena)
		b.Arena = append(b.Arena, f.line(n)...)
		b.Lines = append(b.Lines, pipeline.Line{
			Offset: n, Start: start, End: len(b.Arena), Length: int64(len(b.Arena) - start),
		})
	}
}

// today is the time of events whose lines give none.
var today = time.Now().UTC().Truncate(24 * time.Hour).UnixMicro()

// A reader is the stage that makes an event of each line. A line is its number, and options after a semicolon: a
// letter each, which may have a value after an equals sign.
//
//	a  attrs are that text, valid or not      f  the event is refused by the filter
//	x  level ERROR with that pattern id       d  the line becomes a dead letter
//	t  days from today                        l  level        s  status
//	w  the worker takes so many seconds
type reader struct{}

func (reader) Process(b *pipeline.Batch) {
	for i := range b.Lines {
		text := pipeline.String(b.Raw(i))
		name, options, _ := strings.Cut(text, ";")
		e := pipeline.Event{
			Time: today, Offset: b.Lines[i].Offset, Line: int32(i),
			ResponseTime: math.NaN(), Level: "INFO", Service: "test", Message: name, Attrs: []byte("{}"),
		}
		dead := false
		for option := range strings.SplitSeq(options, ";") {
			letter, value, _ := strings.Cut(option, "=")
			switch letter {
			case "a":
				e.Attrs = []byte(value)
			case "f":
				e.Fate = pipeline.Refuse
			case "d":
				dead = true
			case "w":
				seconds, _ := strconv.Atoi(value)
				_ = sleep(context.Background(), time.Duration(seconds)*time.Second) // of a bubble's clock
			case "s":
				status, _ := strconv.Atoi(value)
				e.Status = int16(status)
			case "l":
				e.Level = value
			case "x":
				id, _ := strconv.ParseInt(value, 10, 64)
				e.Level, e.PatternID, e.Pattern = "ERROR", id, "pattern "+value
			case "t":
				days, _ := strconv.Atoi(value)
				e.Time = today + int64(days)*24*time.Hour.Microseconds()
			}
		}
		if dead {
			b.Reject(i, "told so")
			continue
		}
		b.Events = append(b.Events, e)
	}
}

// A count is the aggregate of the tests: one share for each segment, with the number of events in it.
type count struct {
	total, kept int
	broken      bool // make shares that Postgres refuses
	summary     []byte
}

func (c *count) Add(b *pipeline.Batch) {
	for i := range b.Events {
		switch b.Events[i].Fate {
		case pipeline.Keep:
			c.kept++
			c.total++
		case pipeline.Refuse, pipeline.Rejected:
			c.total++
		}
	}
}

func (c *count) Rows(yield func(*pipeline.Share)) {
	if c.total == 0 {
		return
	}
	c.summary = fmt.Appendf(c.summary[:0], `{"total_logs":%d,"kept":%d}`, c.total, c.kept)
	if c.broken {
		c.summary = append(c.summary, "\x00"...)
	}
	yield(&pipeline.Share{Window: today, Seconds: 60, Service: "test", Summary: c.summary})
}

func (c *count) Reset() { c.total, c.kept = 0, 0 }

// gate lets a test decide when something may go on.
type gate struct {
	once sync.Once
	open chan struct{}
}

func newGate(t *testing.T) *gate {
	g := &gate{open: make(chan struct{})}
	t.Cleanup(g.lift)
	return g
}

func (g *gate) lift() { g.once.Do(func() { close(g.open) }) }

func (g *gate) wait(ctx context.Context) {
	select {
	case <-g.open:
	case <-ctx.Done():
	}
}
