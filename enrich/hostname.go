package enrich

import "logflume/pipeline"

// setHostname names the host of an event whose line named none.
func setHostname(e *pipeline.Event, host string) {
	if e.Hostname == "" {
		e.Hostname = host
	}
}
