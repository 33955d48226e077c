-- What it means that a service shows nothing. Writers note in meta -> 'services' of a source's row which services it had
-- events of, and in which window last.

-- The state of each service that had events of late:
--     blind   a source of it is read by no process that is alive: what it logs is not known
--     late    a source of it has bytes that are not stored yet, and its latest window is older than quiet
--     quiet   all its sources are read to their ends, and there is nothing younger than quiet
--     active  the rest
-- watermark is the moment up to which all its sources are read. Sources count that were read within the time recent; those
-- of files belong to the processes of their host, others to any.
CREATE FUNCTION service_states(quiet interval DEFAULT '5 minutes', recent interval DEFAULT '1 day')
RETURNS TABLE (service text, state text, watermark timestamptz, latest timestamptz, sources bigint, unread bigint,
               behind_bytes bigint)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH feeds AS (
        SELECT nullif(s.key, '') AS service, to_timestamp(s.value::bigint) AS latest, p.updated_at,
               substring(p.source_key FROM '^file:(.*)/[^/]*$') AS host,
               -- Positions in a compressed file are those of its content.
               CASE WHEN p.meta @> '{"closed": true}' OR p.meta ? 'packing' THEN 0
                    ELSE greatest((p.meta ->> 'size')::bigint - p.position, 0) END AS behind
        FROM log_positions p CROSS JOIN jsonb_each(p.meta -> 'services') s
        WHERE p.updated_at >= now() - recent),
    seen AS (
        SELECT f.*, (SELECT max(i.seen_at) FROM log_instances i WHERE f.host IS NULL OR i.host = f.host) AS seen_at
        FROM feeds f),
    judged AS (
        SELECT s.*, coalesce(s.seen_at < now() - interval '35 seconds', true) AS unread, -- three heartbeats are missing
               s.behind > 0 AND s.latest < now() - quiet AS late
        FROM seen s)
    SELECT j.service,
           CASE WHEN bool_or(j.unread) THEN 'blind' WHEN bool_or(j.late) THEN 'late'
                WHEN max(j.latest) < now() - quiet THEN 'quiet' ELSE 'active' END,
           min(CASE WHEN j.behind > 0 THEN j.latest ELSE coalesce(j.seen_at, j.updated_at) END),
           max(j.latest), count(*), count(*) FILTER (WHERE j.unread), sum(j.behind)::bigint
    FROM judged j GROUP BY j.service ORDER BY j.service;
END;
