package parse

import "logflume/pipeline"

// open sets what the message that holds the line at hand says about its events, before the line itself is asked.
func (p *parser) open(e *pipeline.Event) {
	b := p.batch
	envelope := b.Envelope(p.line)
	if envelope == nil {
		return
	}
	e.TraceID = pipeline.String(b.Arena[envelope.TraceID.Start:envelope.TraceID.End])
	e.Extra = pipeline.String(b.Arena[envelope.Attrs.Start:envelope.Attrs.End])
}

// takeOuterTime gives an event whose line says no usable time that of what holds the line: of the container runtime's
// line, else of the message. Without them it stays the time at which the line was read.
func (p *parser) takeOuterTime(e *pipeline.Event) {
	if p.wrapped {
		p.takeWrapperTime(e)
		return
	}
	if envelope := p.batch.Envelope(p.line); envelope != nil {
		p.setTime(e, envelope.Time)
	}
}
