package main

import (
	"errors"
	"slices"
	"testing"
)

// One round tells everything that is wrong with a file, and nothing of what only follows from that.
func TestConfigRefusesAllAtOnce(t *testing.T) {
	t.Parallel()
	text := `flush: {intervall: 1s, rows: many, interval: 5m}
limits: {memory: 64MB, line: 100MiB, partitions: 20000}
database: {retention: never, retention_windows: 1d, schema: No}
files: {grace: 1 fortnight, deleted_wait: 1m}
filter: {drop: 'levle == "x"', keep: 'level', sample: "${NO_SUCH}"}
parse: {time_zone: Nowhere/Land, format: xml}
enrich: {ip_zones: {Office: ["192.0.2.0/99"]}}
sources:
  - file: {path: /var/log/*.log}
  - file: {paths: [[1], /a]}
  - file: {paths: ['a.log']}
`
	_, err := load(t, text, "LOGFLUME_ANALYZE_WINDOW=1 moon", "LOGFLUME_FLUSCH_ROWS=1")
	var wrong configError
	if !errors.As(err, &wrong) {
		t.Fatalf("got %v, want a configError", err)
	}
	var keys []string
	for _, p := range wrong {
		keys = append(keys, p.key)
	}
	slices.Sort(keys)
	want := []string{"", "analyze.window", "database.retention", "database.schema", "enrich.ip_zones", "files.grace", "filter.drop", "filter.keep",
		"filter.sample", "flush.interval", "flush.intervall", "flush.rows", "limits.memory", "limits.partitions", "parse.format",
		"parse.time_zone", "sources[0].file.path", "sources[1].file.paths[0]", "sources[2].file.paths[0]"}
	if !slices.Equal(keys, want) {
		t.Errorf("problems with\n%q, want\n%q:\n%v", keys, want, err)
	}
}
