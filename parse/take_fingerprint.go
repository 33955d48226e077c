package parse

import (
	"github.com/tidwall/gjson"

	"logflume/pipeline"
)

// takeFingerprint accepts a text or a list of texts.
func (p *parser) takeFingerprint(e *pipeline.Event, value []byte, escaped bool) outcome {
	if value[0] != '[' {
		if p.takeText(&e.Fingerprint, value, escaped, maxMessage) == unusable {
			return unusable
		}
		return copied
	}
	b := p.batch
	start := len(b.Text)
	b.Text = appendLines(b.Text, gjson.Parse(pipeline.String(value)))
	if len(b.Text) == start {
		return unusable
	}
	e.Fingerprint = cut(pipeline.String(b.Text[start:]), maxMessage)
	return copied
}
