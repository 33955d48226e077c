package enrich

import "logflume/pipeline"

// Options says which enrichments to make.
type Options struct {
	Hostname  string              // for events that name no host; "" leaves them without
	UserAgent bool                // name the program behind the user agent
	Zones     map[string][]string // names of networks and their prefixes in CIDR form; nil leaves only the built-in ones
}

// New returns a maker of processors, one a worker, or an error that says which zone is wrong.
func New(o Options) (func() pipeline.Processor, error) {
	zones, err := newZones(o.Zones)
	if err != nil {
		return nil, err
	}
	return func() pipeline.Processor {
		p := &processor{hostname: o.Hostname, zones: zones}
		if o.UserAgent {
			p.agents = newAgents()
		}
		return p
	}, nil
}

type processor struct {
	hostname string
	agents   *agents // nil when user agents are left alone
	zones    *zones
}

// Process enriches all events that are not dropped.
func (p *processor) Process(b *pipeline.Batch) {
	for i := range b.Events {
		e := &b.Events[i]
		if e.Fate == pipeline.Drop {
			continue
		}
		setHostname(e, p.hostname)
		p.zones.setLocation(e)
		if p.agents != nil {
			p.agents.setBrowser(b, e)
		}
	}
}
