package analyze

import (
	"fmt"
	"time"

	"logflume/pipeline"
)

// Options says what to look for.
type Options struct {
	Window      time.Duration // width of a window, whole seconds; 0 stands for a minute
	SlowRequest time.Duration // requests that took longer are slow; 0 stands for a second
}

// Validate reports what is wrong with o.
func (o Options) Validate() error {
	if o.Window < 0 || o.Window%time.Second != 0 || o.Window > 24*time.Hour {
		return fmt.Errorf("window is %v: must be whole seconds, from 1s to 24h", o.Window)
	}
	if o.SlowRequest < 0 {
		return fmt.Errorf("slow request is %v: must be more than 0", o.SlowRequest)
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Window == 0 {
		o.Window = time.Minute
	}
	if o.SlowRequest == 0 {
		o.SlowRequest = time.Second
	}
	return o
}

// New returns a maker of processors, one a worker.
func New(o Options) func() pipeline.Processor {
	o = o.withDefaults()
	return func() pipeline.Processor {
		return &processor{slowest: float64(o.SlowRequest) / float64(time.Millisecond)}
	}
}

type processor struct {
	slowest float64 // milliseconds
	masker  masker
}

// Process fills the analysis of all events that are not dropped.
func (p *processor) Process(b *pipeline.Batch) {
	for i := range b.Events {
		e := &b.Events[i]
		if e.Fate == pipeline.Drop {
			continue
		}
		e.Slow = isSlow(e, p.slowest)
		if isError(e) {
			p.pattern(b, e)
		}
	}
}
