package schema_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestServiceStates(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	source := func(host string, inode int, services string, position, size int, more string) {
		exec(t, conn, `INSERT INTO log_positions (source_key, position, meta)
			SELECT format('file:%s/1:%s#1', $1::text, $2::int), $4, jsonb_build_object('size', $5::int, 'services',
				(SELECT jsonb_object_agg(key, extract(epoch FROM now())::bigint - 60 * value::bigint) FROM jsonb_each($3::jsonb))) || $6::jsonb`,
			host, inode, services, position, size, more)
	}
	// Minutes since the latest window of each service.
	source("alive", 1, `{"busy": 1, "still": 30}`, 100, 100, "{}")
	source("alive", 2, `{"busy": 90, "lags": 20}`, 40, 100, "{}")                // a busy service's old file is not read to its end
	source("alive", 3, `{"": 2, "still": 40}`, 100, 100, `{"closed": true}`)     // events without a service
	source("alive", 4, `{"packed": 10}`, 900, 100, `{"packing": "gzip"}`)        // positions are those of the content
	source("dead", 5, `{"still": 1, "unseen": 1}`, 100, 100, `{"closed": true}`) // closed, and what came since nobody reads
	source("folder/x", 6, `{"unknown": 1}`, 0, 0, "{}")
	exec(t, conn, `INSERT INTO log_positions (source_key, meta) VALUES ('file:alive/1:9#1', '{}'), ('folded:alive', '{"closed": true}')`)
	exec(t, conn, `INSERT INTO log_positions (source_key, updated_at, meta) VALUES ('file:gone/1:9#1', now() - interval '2 days', '{"services": {"old": 1}}')`)
	exec(t, conn, `INSERT INTO log_instances (instance, host, version, started_at, seen_at) VALUES
		('alive/1', 'alive', 'v', now() - interval '1 day', now() - interval '2 seconds'),
		('alive/0', 'alive', 'v', now() - interval '2 days', now() - interval '1 day'),
		('dead/1', 'dead', 'v', now() - interval '1 day', now() - interval '10 minutes')`)

	got := column[string](t, conn, `SELECT format('%s %s read %s of %s, %s behind, %s min',
		coalesce(service, '-'), state, sources - unread, sources, behind_bytes, round(extract(epoch FROM now() - watermark) / 60)) FROM service_states()`)
	want := []string{
		"- active read 1 of 1, 0 behind, 0 min",
		"busy late read 2 of 2, 60 behind, 90 min",
		"lags late read 1 of 1, 60 behind, 20 min",
		"packed quiet read 1 of 1, 0 behind, 0 min",
		"still blind read 2 of 3, 0 behind, 10 min",
		"unknown blind read 0 of 1, 0 behind, 0 min",
		"unseen blind read 0 of 1, 0 behind, 10 min",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("states %s\nwant %s", fmt.Sprintf("%q", got), fmt.Sprintf("%q", want))
	}
	if got := column[string](t, conn, "SELECT service FROM service_states('40 minutes') WHERE state = 'late'"); !slices.Equal(got, []string{"busy"}) {
		t.Errorf("late beyond 40 minutes: %q, want busy", got)
	}
}

// A partition has no size: where it ended is noted by who fetched from it, or not known.
func TestServiceStatesOfTopics(t *testing.T) {
	t.Parallel()
	conn := connect(t, migrated(t))
	partition := func(service string, minutes, position int, meta string) {
		exec(t, conn, `INSERT INTO log_positions (source_key, position, meta)
			SELECT 'kafka:cluster/' || $1::text || '/' || (SELECT count(*) FROM log_positions), $3, $4::jsonb || jsonb_build_object('services',
				jsonb_build_object($1::text, extract(epoch FROM now())::bigint - 60 * $2::bigint))`, service, minutes, position, meta)
	}
	partition("busy", 1, 90, `{"end": 100}`)
	partition("busy", 2, 100, `{"end": 100}`)
	partition("drained", 180, 100, `{"end": 100, "beyond": null}`)
	partition("stuck", 180, 70, `{"end": 100}`)
	partition("stuck", 1, 100, `{"end": 100}`)
	partition("beyond", 180, 100, `{"end": 100, "beyond": 50}`)
	partition("older", 180, 100, `{}`) // read by a version that notes no end
	partition("older", 10, 100, `{"end": 100}`)
	partition("rewound", 1, 0, `{"end": null}`)
	states := func() []string {
		return column[string](t, conn, `SELECT format('%s %s read %s of %s, %s min', service, state, sources - unread, sources,
			round(extract(epoch FROM now() - watermark) / 60)) FROM service_states()`)
	}
	instance := func(name, sources string) {
		exec(t, conn, `INSERT INTO log_instances (instance, host, version, started_at, sources) VALUES ($1, 'h', 'v', now(), $2::jsonb)`, name, sources)
	}
	// Neither reads topics.
	instance("h/1", `{"partitions": 0}`)
	instance("h/2", `[]`)
	for _, state := range states() {
		if !strings.Contains(state, "blind read 0 of") {
			t.Errorf("without a reader: %s", state)
		}
	}
	instance("h/3", `{"partitions": 9}`)
	want := []string{
		"beyond late read 1 of 1, 180 min",
		"busy active read 2 of 2, 1 min",
		"drained quiet read 1 of 1, 0 min",
		"older unknown read 2 of 2, 180 min",
		"rewound active read 1 of 1, 1 min",
		"stuck late read 2 of 2, 180 min",
	}
	if got := states(); !slices.Equal(got, want) {
		t.Errorf("states %s\nwant %s", fmt.Sprintf("%q", got), fmt.Sprintf("%q", want))
	}
}
