package testkit

// A strike is a fault that waits for a message of any client's, and befalls one connection.
type strike struct {
	kind   strikeKind
	copied bool // only a COMMIT will do that follows a COPY
}

type strikeKind int

const (
	noStrike strikeKind = iota
	cutBeforeCommit
	cutAfterCommit
	holdCommit
	cutInCopy
	holdInCopy
)

// CutAfterCommit makes the proxy forward the next COMMIT of any connection, wait until the server has done it, and reset
// the connection without passing on the answer: a commit whose result the client cannot know.
func (p *FaultyProxy) CutAfterCommit() { p.set(strike{kind: cutAfterCommit}) }

// CutBeforeCommit makes the proxy reset the connection that sends the next COMMIT, without forwarding that: what the
// client sees is the same as with CutAfterCommit.
func (p *FaultyProxy) CutBeforeCommit() { p.set(strike{kind: cutBeforeCommit}) }

// CutAfterCopyCommit is [FaultyProxy.CutAfterCommit] for the next transaction that copies rows.
func (p *FaultyProxy) CutAfterCopyCommit() { p.set(strike{kind: cutAfterCommit, copied: true}) }

// CutBeforeCopyCommit is [FaultyProxy.CutBeforeCommit] for the next transaction that copies rows.
func (p *FaultyProxy) CutBeforeCopyCommit() { p.set(strike{kind: cutBeforeCommit, copied: true}) }

// HoldCommit makes the proxy reset the client that sends the next COMMIT of a transaction that copied rows, and forward
// that COMMIT only at Release: until then the server has the transaction open.
func (p *FaultyProxy) HoldCommit() { p.set(strike{kind: holdCommit, copied: true}) }

// CutInCopy makes the proxy forward the first half of the next message with rows for a COPY, and reset the connection.
func (p *FaultyProxy) CutInCopy() { p.set(strike{kind: cutInCopy}) }

// HoldInCopy makes the proxy forward the first half of the next message with rows for a COPY, and hold everything else
// back that this client sends until Release. It does not see meanwhile that the client has gone.
func (p *FaultyProxy) HoldInCopy() { p.set(strike{kind: holdInCopy}) }

// Held returns the process id of the server's session that HoldInCopy or HoldCommit holds, 0 when none is.
func (p *FaultyProxy) Held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// Release lets what is held go on, and takes back a fault that has not struck yet.
func (p *FaultyProxy) Release() {
	p.change(func() { p.held, p.strike = 0, strike{} })
}

// FaultPending reports whether the fault that was set last has not struck yet, of those that wait for a message.
func (p *FaultyProxy) FaultPending() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.strike.kind != noStrike
}

func (p *FaultyProxy) set(s strike) { p.change(func() { p.strike = s }) }

// takeAtCommit returns what is to happen to a COMMIT that this session would do. copied says that it copied rows before.
func (p *FaultyProxy) takeAtCommit(session int, copied bool) strikeKind {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.strike; s.kind == cutInCopy || s.kind == holdInCopy || s.copied && !copied {
		return noStrike
	}
	return p.takeLocked(session)
}

// takeInCopy returns what is to happen to rows on their way to this session.
func (p *FaultyProxy) takeInCopy(session int) strikeKind {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.strike; s.kind != cutInCopy && s.kind != holdInCopy {
		return noStrike
	}
	return p.takeLocked(session)
}

func (p *FaultyProxy) takeLocked(session int) strikeKind {
	kind := p.strike.kind
	p.strike = strike{}
	if kind == holdInCopy || kind == holdCommit {
		p.held = session
	}
	return kind
}

// waitReleased waits until the session is no longer held, or until done is closed.
func (p *FaultyProxy) waitReleased(session int, done <-chan struct{}) {
	for {
		p.mu.Lock()
		held, changed := p.held, p.changed
		p.mu.Unlock()
		if held != session {
			return
		}
		select {
		case <-changed:
		case <-done:
			return
		}
	}
}
