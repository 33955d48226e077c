package enrich

import (
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"logflume/pipeline"
)

const (
	cachedAgents = 10_000
	maxAgent     = 512 // bytes of a user agent that are looked at
)

// agents names the programs behind user agents and remembers the answers. One worker's memory of it is bounded by
// cachedAgents times maxAgent and some.
type agents struct {
	cache *simplelru.LRU[string, program]
}

// A program is what a user agent says, ready to be put into events.
type program struct {
	name  string // family and version: Chrome 120.0
	extra string // JSON member with the kind
}

func newAgents() *agents {
	cache, err := simplelru.NewLRU[string, program](cachedAgents, nil)
	if err != nil {
		panic(err) // only a size below 1 is refused
	}
	return &agents{cache: cache}
}

// setBrowser fills Browser and the member browser_kind of an event with a user agent.
func (a *agents) setBrowser(b *pipeline.Batch, e *pipeline.Event) {
	agent := e.UserAgent
	if agent == "" || agent == "-" {
		return
	}
	p := a.lookup(cut(agent, maxAgent))
	if e.Browser == "" {
		e.Browser = p.name
	}
	addExtra(b, e, p.extra)
}

func (a *agents) lookup(agent string) program {
	if p, ok := a.cache.Get(agent); ok {
		return p
	}
	agent = strings.Clone(agent) // it lies in a batch
	p := identify(agent)
	a.cache.Add(agent, p)
	return p
}

// cut returns at most limit bytes of s, whole characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
