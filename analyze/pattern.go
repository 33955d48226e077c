package analyze

import (
	"strings"

	"logflume/pipeline"
)

// isError reports whether the event counts as an error: by its level, or by an exception when it names no level.
func isError(e *pipeline.Event) bool {
	return e.IsError() || e.Level == "" && e.Exception != ""
}

// pattern sets the pattern of an error event.
func (p *processor) pattern(b *pipeline.Batch, e *pipeline.Event) {
	if e.PatternID = p.identify(e); e.PatternID == 0 {
		return
	}
	start := len(b.Text)
	b.Text = p.masker.appendText(b.Text)
	e.Pattern = pipeline.String(b.Text[start:])
}

// identify returns the id of the event's pattern, 0 if nothing names one. The masker holds its text until the next call.
//
// The pattern of an event that brings a fingerprint is what that says, whatever its message. The pattern of a stack trace
// is in its types and functions; a message beside it says less.
func (p *processor) identify(e *pipeline.Event) int64 {
	if e.Fingerprint != "" {
		return p.masker.called(e.Fingerprint, sample(e))
	}
	for _, s := range [...]string{e.Exception, e.Message} {
		if id := p.masker.trace(s); id != 0 {
			return id
		}
	}
	return p.masker.mask(sample(e))
}

// headline returns the line of a stack trace that says what happened: the first, or in a Python traceback, where the
// frames come first, the last that is not indented.
func headline(trace string) string {
	trace = strings.TrimSpace(trace)
	first, _, _ := strings.Cut(trace, "\n")
	if !strings.HasPrefix(first, "Traceback (most recent call last)") {
		return first
	}
	for rest := trace; rest != ""; {
		i := strings.LastIndexByte(rest, '\n')
		if line := rest[i+1:]; line != "" && line[0] != ' ' && line[0] != '\t' {
			return line
		}
		rest = rest[:max(i, 0)]
	}
	return first
}
