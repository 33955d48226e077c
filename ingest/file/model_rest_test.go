package file

import "time"

// settle lets time pass until p has nothing to do any more, and longer than most only if that never comes.
func (w *modelWorld) settle(p *modelProcess, most time.Duration) {
	scans := -1
	for until := time.Now().Add(most); time.Now().Before(until); {
		time.Sleep(tickInterval) //nolint:forbidigo // in a bubble, where nobody waits
		rests := false
		p.ask(func(k *keeper) {
			if scans < 0 {
				scans = k.scans
			}
			rests = k.rests() && k.scans > scans
		})
		if rests {
			time.Sleep(lookInterval + tickInterval) //nolint:forbidigo // until the gauges say so too
			return
		}
	}
}

// ask has f look at the keeper of a running process.
func (p *modelProcess) ask(f func(k *keeper)) {
	k, asked := p.keeper.Load(), make(chan struct{})
	select {
	case k.calls <- func() { f(k); close(asked) }:
		<-asked
	case err := <-p.ended:
		panic(err)
	}
}

// rests reports whether nothing is under way and nothing waits for a time to come, but the next scan: as long as no file
// changes, nothing will.
func (k *keeper) rests() bool {
	if !k.loaded || k.surveying || k.asking+len(k.questions)+len(k.waits)+len(k.queue)+len(k.surveys) > 0 {
		return false
	}
	for _, f := range k.files {
		if !f.listed || f.again || !f.rests() {
			return false
		}
	}
	return true
}

func (f *openFile) rests() bool {
	switch f.state {
	case empty, done, refused, orphaned:
		return true
	case idle:
		s := f.reading.stream
		return s.Err() == nil && s.Committed() == f.milestone().pos
	default:
		return false
	}
}
