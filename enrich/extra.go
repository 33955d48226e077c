package enrich

import "logflume/pipeline"

// addExtra adds a JSON member to the event. The member is used as it is when it is the only one.
func addExtra(b *pipeline.Batch, e *pipeline.Event, member string) {
	if e.Extra == "" {
		e.Extra = member
		return
	}
	start := len(b.Text)
	b.Text = append(b.Text, e.Extra...)
	b.Text = append(b.Text, ',')
	b.Text = append(b.Text, member...)
	e.Extra = pipeline.String(b.Text[start:])
}
