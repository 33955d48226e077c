package main

import (
	"encoding/json"
	"net/http"
)

// A health holds the checks of /readyz. Each says what it last found; asking costs no query.
type health struct {
	checks []readiness
}

// A readiness is one check: ask returns nil when it holds, else why not. What ask returns is shown to whoever may reach
// the listener, so it must not hold log contents or passwords.
type readiness struct {
	name string
	ask  func() error
}

// newHealth returns a health with these checks.
func newHealth(checks ...readiness) *health { return &health{checks: checks} }

// A checkResult is one check in the answer of /readyz.
type checkResult struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// A readyAnswer is the body of /readyz.
type readyAnswer struct {
	Ready  bool                   `json:"ready"`
	Checks map[string]checkResult `json:"checks"`
}

// ask runs all checks.
func (h *health) ask() readyAnswer {
	answer := readyAnswer{Ready: true, Checks: map[string]checkResult{}}
	for _, c := range h.checks {
		result := checkResult{OK: true}
		if err := c.ask(); err != nil {
			result = checkResult{Error: redact(err.Error())}
			answer.Ready = false
		}
		answer.Checks[c.name] = result
	}
	return answer
}

// series returns a metric series for each check.
func (h *health) series() []series {
	list := make([]series, len(h.checks))
	for i, c := range h.checks {
		list[i] = series{c.name, func() int64 {
			if c.ask() == nil {
				return 1
			}
			return 0
		}}
	}
	return list
}

// healthz answers as long as the process can.
func (h *health) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n")) // an error means that the asker is gone
}

// readyz answers 200 when all checks hold, else 503, with each check in the body.
func (h *health) readyz(w http.ResponseWriter, _ *http.Request) {
	answer := h.ask()
	w.Header().Set("Content-Type", "application/json")
	if !answer.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(answer) // as above
}
