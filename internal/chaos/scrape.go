package chaos

import (
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Metric returns the value of a series of the instance that runs, by its name with labels; -1 if it cannot be had.
func (s *Script) Metric(series string) int64 {
	for line := range strings.Lines(s.metrics()) {
		if value, found := strings.CutPrefix(line, series+" "); found {
			if n, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
				return int64(n)
			}
		}
	}
	return -1
}

// Ready asks /readyz of the instance that runs, and returns whether all is well, and the whole answer.
func (s *Script) Ready() (bool, string) { return s.Up().ready() }

// metrics returns what the instance that runs answers at /metrics; "" if it does not.
func (s *Script) metrics() string {
	address := s.Up().telemetry()
	if address == "" {
		return ""
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	return string(body)
}
