package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"logflume/pipeline"
	"logflume/sink/postgres"
)

func TestReadyzShowsEachCheck(t *testing.T) {
	t.Parallel()
	h := newHealth(
		readiness{"database", func() error { return errors.New("dial postgres://u:hunter2@h/db: refused") }},
		readiness{"sources", func() error { return nil }},
	)
	code, body := scrape(t, &pipeline.Stats{}, h, "/readyz")
	if code != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", code)
	}
	var answer readyAnswer
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Ready || answer.Checks["database"].OK || !answer.Checks["sources"].OK {
		t.Errorf("got %s", body)
	}
	if !strings.Contains(answer.Checks["database"].Error, "refused") || strings.Contains(body, "hunter2") {
		t.Errorf("got %s", body)
	}
}

func TestReadyzAndHealthzWhenAllIsWell(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/readyz", "/healthz"} {
		if code, body := scrape(t, &pipeline.Stats{}, readyChecks(), path); code != http.StatusOK {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

func TestReadyIsAMetric(t *testing.T) {
	t.Parallel()
	h := newHealth(readiness{"database", func() error { return errors.New("away") }}, readiness{"sources", func() error { return nil }})
	_, body := scrape(t, &pipeline.Stats{}, h, "/metrics")
	for _, line := range []string{`logflume_ready{check="database"} 0`, `logflume_ready{check="sources"} 1`} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("no %s in\n%s", line, body)
		}
	}
}

func TestTelemetryAddressInUse(t *testing.T) {
	t.Parallel()
	h := readyChecks()
	first, err := startTelemetry("127.0.0.1:0", h, nil, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.close() })
	if _, err := startTelemetry(first.Address, h, nil, testLog(t)); err == nil || !strings.Contains(err.Error(), "telemetry.listen") {
		t.Errorf("got %v, want an error that names the key", err)
	}
}

func TestReadyzNamesPausedSources(t *testing.T) {
	t.Parallel()
	g := newGate(nil)
	g.open(nil)
	var now postgres.Health
	h := serviceHealth(g, func() postgres.Health { return now }, func() error { return nil })
	if code, body := scrape(t, &pipeline.Stats{}, h, "/readyz"); code != http.StatusOK || !strings.Contains(body, `"dead_letters":{"ok":true}`) {
		t.Errorf("%d %s", code, body)
	}
	now.Paused = []postgres.Paused{{Key: "file:h/1:2#1", Since: time.Unix(0, 0)}}
	code, body := scrape(t, &pipeline.Stats{}, h, "/readyz")
	if code != http.StatusServiceUnavailable || !strings.Contains(body, "1 sources are paused") || !strings.Contains(body, "file:h/1:2#1") {
		t.Errorf("%d %s", code, body)
	}
}
