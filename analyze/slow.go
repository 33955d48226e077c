package analyze

import "logflume/pipeline"

// isSlow reports whether the event took more than limit milliseconds. An event without a response time is not slow.
func isSlow(e *pipeline.Event, limit float64) bool { return e.ResponseTime > limit }
