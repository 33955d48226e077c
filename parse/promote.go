package parse

import (
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"

	"logflume/pipeline"
)

// promote sets the event's fields from the members of object, and marks members that need not stand in attrs as gone.
// Order of precedence: configured keys, configured paths, standard keys, keys inside containers, weak keys.
func (p *parser) promote(e *pipeline.Event, object []byte) {
	p.have, p.badTime, p.badIndex = 0, nil, -1
	p.best = [fields]uint16{}
	weak, containers := p.rank(object)
	if p.names.dotted != nil {
		p.takeDotted(e, object)
	}
	for f, i := range &p.best {
		if i != 0 && p.have&(1<<f) == 0 {
			p.takeBest(e, field(f), object)
		}
	}
	if containers {
		p.takeNested(e, object)
	}
	if weak {
		p.takeWeak(e, object)
	}
	p.settle(e)
}

// rank finds the member that counts for each field.
func (p *parser) rank(object []byte) (weak, containers bool) {
	members := p.scan.members
	for i := range members {
		m := &members[i]
		containers = containers || m.holds && object[m.start] == '{'
		if m.weak {
			weak = true
		} else if other := p.best[m.field]; other == 0 || m.rank <= members[other-1].rank {
			p.best[m.field] = uint16(i + 1)
		}
	}
	p.best[unknown] = 0
	return weak, containers
}

// takeBest takes the member that counts for f. If its value is none for f, it stays in attrs and the next best is tried.
func (p *parser) takeBest(e *pipeline.Event, f field, object []byte) {
	for p.best[f] != 0 {
		i := int(p.best[f] - 1)
		m := &p.scan.members[i]
		switch p.take(e, f, m.unit, m.value(object), m.escaped, i) {
		case taken:
			m.gone = true
			p.have |= 1 << f
			return
		case copied:
			p.have |= 1 << f
			return
		case empty:
			m.gone = true
		}
		p.best[f] = p.nextBest(f, m.rank)
	}
}

// nextBest returns 1 + the index of the member that counts for f after those of the given rank, or 0.
func (p *parser) nextBest(f field, rank uint8) (best uint16) {
	members := p.scan.members
	for i := range members {
		m := &members[i]
		if m.field != f || m.weak || m.rank <= rank {
			continue
		}
		if best == 0 || m.rank < members[best-1].rank {
			best = uint16(i + 1)
		}
	}
	return best
}

// takeDotted follows configured paths, unless a configured key has won already.
func (p *parser) takeDotted(e *pipeline.Event, object []byte) {
	for _, path := range p.names.dotted {
		if b := p.best[path.field]; b != 0 && p.scan.members[b-1].rank < configuredRanks {
			continue
		}
		p.takePath(e, path, object)
	}
}

// takeNested looks into the values of containers for fields that are not set yet.
func (p *parser) takeNested(e *pipeline.Event, object []byte) {
	for i := range p.scan.members {
		m := &p.scan.members[i]
		if !m.holds || object[m.start] != '{' {
			continue
		}
		for _, path := range p.names.list[m.index].nested {
			p.takePath(e, path, m.value(object))
		}
	}
}

func (p *parser) takePath(e *pipeline.Event, path nested, object []byte) {
	if p.have&(1<<path.field) != 0 {
		return
	}
	raw := gjson.Get(pipeline.String(object), path.path).Raw
	if raw == "" {
		return
	}
	value := unsafe.Slice(unsafe.StringData(raw), len(raw))
	if o := p.take(e, path.field, path.unit, value, strings.IndexByte(raw, '\\') >= 0, -1); o == taken || o == copied {
		p.have |= 1 << path.field
	}
}

// takeWeak takes keys with everyday names where the line looks right for them.
func (p *parser) takeWeak(e *pipeline.Event, object []byte) {
	for i := range p.scan.members {
		m := &p.scan.members[i]
		if !m.weak || p.have&(1<<m.field) != 0 || !p.plausible(e, m.field, object) {
			continue
		}
		badTime := p.badTime
		o := p.take(e, m.field, m.unit, m.value(object), m.escaped, -1)
		p.badTime = badTime // what a weak key holds need not be a time
		switch o {
		case taken:
			m.gone = true
			p.have |= 1 << m.field
		case copied:
			p.have |= 1 << m.field
		}
	}
}

// plausible reports whether a weak key may count for f in this line: a path in one about a request, a logger's name in
// one that a logger wrote which calls it so (Python, pino, bunyan, Monolog).
func (p *parser) plausible(e *pipeline.Event, f field, object []byte) bool {
	switch f {
	case fieldEndpoint:
		return e.Method != "" || e.Status != 0
	case fieldLogger:
		b := p.best[fieldLevel]
		if b == 0 {
			return false
		}
		m := &p.scan.members[b-1]
		key := p.names.list[m.index].key
		return object[m.start] != '"' || key == "levelname" || key == "level_name"
	}
	return true
}

// settle fills in what follows from other fields, and from their absence.
func (p *parser) settle(e *pipeline.Event) {
	if e.Level == "" && p.have&(1<<fieldTime|1<<fieldMessage) == 1<<fieldTime|1<<fieldMessage && p.isCLEF() {
		e.Level = levelInfo // the format leaves it out
	}
	if p.have&(1<<fieldTime) == 0 {
		p.takeOuterTime(e)
	}
	if p.have&(1<<fieldTime) != 0 || p.badTime == nil {
		p.badTime = nil
		return
	}
	p.tally.retimed++
	if p.badIndex >= 0 {
		p.scan.members[p.badIndex].gone = true // it goes into _ts
	}
}

// isCLEF reports whether the time came under Serilog's compact key.
func (p *parser) isCLEF() bool {
	b := p.best[fieldTime]
	return b != 0 && p.names.list[p.scan.members[b-1].index].key == "@t"
}
