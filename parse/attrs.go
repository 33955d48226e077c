package parse

import "logflume/pipeline"

// buildAttrs joins the members that are not gone, byte for byte, and what logflume has to say about the line.
func (p *parser) buildAttrs(e *pipeline.Event, object []byte) {
	out := append(p.batch.Text, '{')
	from, to := -1, -1 // members that stand together are copied together
	members := p.scan.members
	for i := range members {
		m := &members[i]
		switch {
		case !m.gone && from < 0:
			from, to = int(m.keyStart)-1, int(m.end)
		case !m.gone:
			to = int(m.end)
		case from >= 0:
			out = append(append(out, object[from:to]...), ',')
			from = -1
		}
	}
	if from >= 0 {
		out = append(append(out, object[from:to]...), ',')
	}
	p.closeAttrs(e, out, object)
}

// closeAttrs ends the object that out, the batch's text and more, has at its end; each of its members has a comma. They
// are from object, which is nil for a line of text.
func (p *parser) closeAttrs(e *pipeline.Event, out, object []byte) {
	b := p.batch
	start := len(b.Text)
	if p.badTime != nil {
		out = append(append(append(out, `"_ts":`...), p.badTime...), ',')
	}
	if b.Lines[p.line].Partial {
		out = append(out, `"_partial":true,`...)
	}
	if p.wrapped {
		out = p.appendWrapper(out, object)
	}
	if len(out) == start+1 {
		b.Text = out[:start] // it may have grown
		return
	}
	out[len(out)-1] = '}'
	b.Text = out
	e.Attrs = out[start:len(out):len(out)]
}
