package postgres

import (
	"context"
	"encoding/binary"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"

	"logflume/pipeline"
)

// What a pooler in transaction mode does not carry from one transaction to the next.
var sessionState = regexp.MustCompile(`(?i)^\s*(SET|RESET|LISTEN|PREPARE|DECLARE|LOAD|CREATE TEMP)\b|pg_advisory_lock|false\)`)

// Every statement could run on another session of a pooler: no named statements, no session state.
func TestNothingIsKeptInTheSession(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	all := &wiretap{}
	for _, c := range []*client{s.writer, s.heart, s.maintenance} {
		c.config = c.config.Copy()
		c.config.DialFunc = all.dial
	}
	checkpoints := <-s.checkpoints.turn
	checkpoints.config = s.writer.config
	s.checkpoints.turn <- checkpoints

	f := &feed{key: "a", lines: 500, batch: 50, line: func(n int64) string {
		return number(n) + []string{";t=-40", ";a={", ";x=3", ";d"}[n%4]
	}}
	if err := r.run(t.Context(), s, f); err != nil {
		t.Fatal(err)
	}
	for _, d := range s.duties() {
		for _, c := range d.chores {
			s.attend(t.Context(), d.conn, c)
		}
		d.conn.close()
	}
	rows, err := s.Checkpoints().List(t.Context(), "", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Checkpoints().Amend(t.Context(), rows[0], pipeline.Amendment{}); err != nil {
		t.Fatal(err)
	}

	all.mu.Lock()
	defer all.mu.Unlock()
	if len(all.statements) < 20 {
		t.Fatalf("only %d statements seen", len(all.statements))
	}
	for _, st := range all.statements {
		if st.name != "" {
			t.Errorf("named statement %q: %s", st.name, st.text)
		}
		if sessionState.MatchString(st.text) {
			t.Errorf("session state: %s", st.text)
		}
	}
}

// A wiretap keeps the statements that clients send.
type wiretap struct {
	mu         sync.Mutex
	statements []struct{ name, text string }
}

func (w *wiretap) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	return &tapped{Conn: conn, tap: w, started: false}, err
}

type tapped struct {
	net.Conn
	tap     *wiretap
	started bool   // the start-up message, which has no type, was seen
	pending []byte // of a message that is not complete
}

func (t *tapped) Write(p []byte) (int, error) {
	t.pending = append(t.pending, p...)
	for {
		head := 5
		if !t.started {
			head = 4
		}
		if len(t.pending) < head {
			break
		}
		size := head - 4 + int(binary.BigEndian.Uint32(t.pending[head-4:]))
		if len(t.pending) < size {
			break
		}
		if t.started {
			t.tap.see(t.pending[0], string(t.pending[head:size]))
		}
		t.started = true
		t.pending = t.pending[size:]
	}
	return t.Conn.Write(p)
}

func (w *wiretap) see(kind byte, body string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch first, rest, _ := strings.Cut(body, "\x00"); kind {
	case 'Q':
		w.statements = append(w.statements, struct{ name, text string }{"", first})
	case 'P':
		text, _, _ := strings.Cut(rest, "\x00")
		w.statements = append(w.statements, struct{ name, text string }{first, text})
	}
}
