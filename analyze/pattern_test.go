package analyze

import (
	"math"
	"testing"
	"time"

	"logflume/pipeline"
)

func TestProcessor(t *testing.T) {
	t.Parallel()
	const python = "Traceback (most recent call last):\n  File \"/srv/app/main.py\", line 5, in run\n    go()\nKeyError: 'user_5'\n"
	const java = "java.lang.IllegalStateException: order 5 is bad\n\tat com.example.Order.ship(Order.java:7)\nCaused by: x"
	nan := math.NaN()
	tests := []struct {
		name    string
		event   pipeline.Event
		pattern string
		slow    bool
	}{
		{"error", pipeline.Event{Level: "ERROR", Message: "order 5 failed", ResponseTime: nan}, "order <num> failed", false},
		{"critical", pipeline.Event{Level: "CRITICAL", Message: "order 5 failed", ResponseTime: 1001}, "order <num> failed", true},
		{"warning", pipeline.Event{Level: "WARN", Message: "order 5 failed", Exception: java, ResponseTime: 1000}, "", false},
		{"no level", pipeline.Event{Message: "order 5 failed", ResponseTime: nan}, "", false},
		{"exception without level", pipeline.Event{Exception: java, ResponseTime: nan}, "java.lang.IllegalStateException at com.example.Order.ship", false},
		{"python", pipeline.Event{Level: "ERROR", Exception: python, ResponseTime: nan}, "KeyError at main.run", false},
		{"trace before message", pipeline.Event{Level: "ERROR", Message: "bad", Exception: python, ResponseTime: nan}, "KeyError at main.run", false},
		{"message before headline", pipeline.Event{Level: "ERROR", Message: "bad", Exception: "KeyError: 5", ResponseTime: nan}, "bad", false},
		{"only frames", pipeline.Event{Level: "ERROR", Exception: "Traceback (most recent call last):\n  File x", ResponseTime: nan}, "Traceback (most recent call last):", false},
		{"nothing", pipeline.Event{Level: "ERROR", ResponseTime: nan}, "", false},
		{"dropped", pipeline.Event{Level: "ERROR", Message: "x", Fate: pipeline.Drop, ResponseTime: 5000}, "", false},
		{"refused", pipeline.Event{Level: "ERROR", Message: "x 5", Fate: pipeline.Refuse, ResponseTime: 5000}, "x <num>", true},
	}
	b := &pipeline.Batch{}
	for _, tt := range tests {
		b.Events = append(b.Events, tt.event)
	}
	New(Options{})().Process(b)
	for i, tt := range tests {
		e := &b.Events[i]
		if e.Pattern != tt.pattern || (e.PatternID == 0) != (tt.pattern == "") || e.Slow != tt.slow {
			t.Errorf("%s: pattern %q, id %d, slow %v; want %q, %v", tt.name, e.Pattern, e.PatternID, e.Slow, tt.pattern, tt.slow)
		}
	}
}

func TestSlowRequestOption(t *testing.T) {
	t.Parallel()
	b := &pipeline.Batch{Events: []pipeline.Event{{ResponseTime: 51}, {ResponseTime: 49}}}
	New(Options{SlowRequest: 50 * time.Millisecond})().Process(b)
	if !b.Events[0].Slow || b.Events[1].Slow {
		t.Errorf("slow: %v, %v", b.Events[0].Slow, b.Events[1].Slow)
	}
}

func TestOptionsValidate(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{Window: 1500 * time.Millisecond}, {Window: -time.Second}, {Window: 25 * time.Hour}, {SlowRequest: -1}} {
		if o.Validate() == nil {
			t.Errorf("%+v is valid", o)
		}
	}
	for _, o := range []Options{{}, {Window: 10 * time.Second, SlowRequest: time.Millisecond}} {
		if err := o.Validate(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
