package schema_test

import (
	"fmt"
	"slices"
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
