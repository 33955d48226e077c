package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"logflume/pipeline"
)

// scrape starts a telemetry over s and returns what path answers.
func scrape(t *testing.T, s *pipeline.Stats, h *health, path string) (int, string) {
	t.Helper()
	tel, err := startTelemetry("127.0.0.1:0", h, instruments(s, pipeline.NewBudget(64<<20), h), testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tel.close(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	response, err := http.Get("http://" + tel.Address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// readyChecks are the checks that a running pipeline has.
func readyChecks() *health {
	fine := func() error { return nil }
	return newHealth(readiness{"database", fine}, readiness{"schema", fine}, readiness{"sources", fine},
		readiness{"dead_letters", fine})
}

// Dashboards and alert rules depend on names, types and labels.
func TestMetricNames(t *testing.T) {
	t.Parallel()
	const golden = "testdata/metrics.txt"
	_, body := scrape(t, &pipeline.Stats{}, readyChecks(), "/metrics")
	var lines []string
	for scanner := bufio.NewScanner(strings.NewReader(body)); scanner.Scan(); {
		line := scanner.Text()
		name := strings.TrimPrefix(line, "# TYPE ")
		switch {
		case name != line:
			lines = append(lines, name)
		case strings.HasPrefix(line, "logflume_") && !strings.HasPrefix(line, "logflume_build_info"):
			lines = append(lines, line[:strings.LastIndexByte(line, ' ')])
		}
	}
	slices.Sort(lines)
	got := strings.Join(slices.Compact(lines), "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("metrics are not those of %s (make docs rewrites it):\n%s", golden, got)
	}
	for _, name := range lines {
		if !strings.HasPrefix(name, "logflume_") && !strings.HasPrefix(name, "go_") {
			t.Errorf("%s breaks the rule of names", name)
		}
	}
}

// Every field of Stats is in some metric, with its own value.
func TestMetricsShowAllStats(t *testing.T) {
	t.Parallel()
	s := &pipeline.Stats{}
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		v.Field(i).Addr().Interface().(*atomic.Int64).Store(int64(1000 + i))
	}
	_, body := scrape(t, s, readyChecks(), "/metrics")
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		// Lines is the sum of its three classes, which are shown.
		if name != "Lines" && !strings.Contains(body, fmt.Sprintf(" %d\n", 1000+i)) {
			t.Errorf("Stats.%s is in no metric", name)
		}
	}
}
