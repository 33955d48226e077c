-- What it means that a service of a topic shows nothing. Readers note in meta -> 'end' of a partition's row where the
-- partition ended when they last fetched from it.

-- The state of each service that had events of late:
--     blind   a source of it is read by no process that is alive: what it logs is not known
--     late    a source of it has bytes or messages that are not stored yet, and its latest window is older than quiet
--     unknown the end of a partition of it was never noted, and its latest window is older than quiet
--     quiet   all its sources are read to their ends, and there is nothing younger than quiet
--     active  the rest
-- watermark is the moment up to which all its sources are read: the latest window of one that is not read to its end.
-- Sources count that were read within the time recent; those of files belong to the processes of their host, partitions to
-- any that read some. behind_bytes is about files.
CREATE OR REPLACE FUNCTION service_states(quiet interval DEFAULT '5 minutes', recent interval DEFAULT '1 day')
RETURNS TABLE (service text, state text, watermark timestamptz, latest timestamptz, sources bigint, unread bigint,
               behind_bytes bigint)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH feeds AS (
        SELECT nullif(s.key, '') AS service, to_timestamp(s.value::bigint) AS latest, p.updated_at,
               substring(p.source_key FROM '^file:(.*)/[^/]*$') AS host,
               -- Positions in a compressed file are those of its content.
               CASE WHEN p.meta @> '{"closed": true}' OR p.meta ? 'packing' THEN 0
                    ELSE greatest((p.meta ->> 'size')::bigint - p.position, 0) END AS behind,
               CASE WHEN p.source_key NOT LIKE 'kafka:%' THEN 0
                    WHEN p.meta ->> 'beyond' IS NOT NULL THEN 1 -- its messages are others than they were
                    ELSE (p.meta ->> 'end')::bigint - p.position END AS messages
        FROM log_positions p CROSS JOIN jsonb_each(p.meta -> 'services') s
        WHERE p.updated_at >= now() - recent),
    seen AS (
        SELECT f.*, f.messages IS NULL AS unknown, f.behind > 0 OR coalesce(f.messages > 0, false) AS lags,
               (SELECT max(i.seen_at) FROM log_instances i
                WHERE CASE WHEN f.host IS NULL THEN (i.sources ->> 'partitions')::bigint > 0 ELSE i.host = f.host END) AS seen_at
        FROM feeds f),
    judged AS (
        SELECT s.*, coalesce(s.seen_at < now() - interval '35 seconds', true) AS unread, -- three heartbeats are missing
               s.latest < now() - quiet AS still
        FROM seen s)
    SELECT j.service,
           CASE WHEN bool_or(j.unread) THEN 'blind' WHEN bool_or(j.lags AND j.still) THEN 'late'
                WHEN bool_or(j.unknown AND j.still) THEN 'unknown'
                WHEN max(j.latest) < now() - quiet THEN 'quiet' ELSE 'active' END,
           min(CASE WHEN j.lags OR j.unknown THEN j.latest ELSE coalesce(j.seen_at, j.updated_at) END),
           max(j.latest), count(*), count(*) FILTER (WHERE j.unread), sum(j.behind)::bigint
    FROM judged j GROUP BY j.service ORDER BY j.service;
END;
