-- A histogram of response times once more, with an eighth of the buckets: which of thousands of endpoints became slower is
-- looked for in these, at a fifth of the price, and only what was found is looked at closely.

-- The classes of a packed histogram: the same with eight buckets in one, packed like it. Class c ends with bucket 8c - 1400, so that
-- those that end with 200 and 208 are numbers 200 and 201. Counts are cumulative: one digit group in eight is kept, before the point that of
-- the lowest bucket of a class, behind it that of the highest.
CREATE FUNCTION latency_classes(histogram numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    digits text := histogram::text;
    above  bytea := split_part(digits, '.', 1)::bytea;
    below  bytea := rpad(split_part(digits, '.', 2), 12 + length(digits), '0')::bytea;
    first  integer := octet_length(above) % 96; -- digits of the highest class, which may be less than all of it
    classes bytea;
BEGIN
    classes := CASE WHEN first > 12 THEN substr(above, first - 11, 12) ELSE substr(above, 1, first) END;
    FOR place IN 1..octet_length(above) / 96 LOOP
        classes := classes || substr(above, first + 96 * place - 11, 12);
    END LOOP;
    classes := classes || '.';
    FOR place IN 0..(octet_length(below) - 1) / 96 LOOP
        classes := classes || substr(below, 96 * place + 1, 12);
    END LOOP;
    RETURN encode(classes, 'escape')::numeric;
END $$;

ALTER TABLE log_endpoints ADD COLUMN classes numeric[]; -- NULL in blocks of ten minutes

DO $$
BEGIN
    ALTER TABLE log_endpoints ALTER classes SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL; -- a server built without lz4 compresses its own way
END $$;

-- As before, with classes.
CREATE OR REPLACE FUNCTION add_to_blocks(shares bigint[], widths integer[] DEFAULT '{600,3600,21600,86400,518400}') RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' SET jit = off SET enable_sort = off
AS $$
BEGIN
    IF cardinality(shares) = 0 THEN
        RETURN;
    END IF;
    WITH picked AS MATERIALIZED (
        SELECT block_start(a.timestamp, 600) AS ten, a.service, a.summary -> 'latency' AS latency, a.endpoints, a.histograms
        FROM log_analytics a WHERE a.share = ANY (shares)),
    -- Histograms and the rest come in rows of their own, to be grouped and not joined.
    sums AS MATERIALIZED (
        SELECT e.ten, e.service, e.endpoint, min(e.hash) AS hash, sum(e.requests) AS requests, sum(e.slow) AS slow,
               sum(e.total_ms) AS total_ms, max(e.max_ms) AS max_ms, sum(e.histogram) AS histogram
        FROM (SELECT p.ten, p.service, e.key AS endpoint, r.h AS hash, r.n AS requests, r.slow, r.sum AS total_ms,
                     r.max AS max_ms, NULL::numeric AS histogram
              FROM picked p CROSS JOIN jsonb_each(p.latency) e CROSS JOIN jsonb_to_record(e.value) AS r (
                   h bigint, n bigint, slow bigint, sum numeric, max numeric)
              UNION ALL
              SELECT p.ten, p.service, unnest(p.endpoints), NULL, NULL, NULL, NULL, NULL, unnest(p.histograms) FROM picked p
              UNION ALL
              SELECT c.ten, c.service, c.key, NULL, NULL, NULL, NULL, NULL, cumulate(sum(c.counts))
              FROM (SELECT p.ten, p.service, e.key, (sum(b.c) || 'e' || bucket_place(b.k))::numeric AS counts
                    FROM picked p CROSS JOIN jsonb_each(p.latency) e CROSS JOIN unnest(
                         string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
                    WHERE p.endpoints IS NULL
                    GROUP BY p.ten, p.service, e.key, b.k) c
              GROUP BY c.ten, c.service, c.key) e
        GROUP BY e.ten, e.service, e.endpoint),
    tens AS MATERIALIZED (
        SELECT s.*, latency_classes(s.histogram) AS classes FROM sums s),
    added AS (
        SELECT block_start(t.ten, w) AS timestamp, w AS window_seconds, t.ten, t.service, t.endpoint, t.hash, t.requests, t.slow,
               t.total_ms, t.max_ms, t.histogram, CASE WHEN w > 600 THEN t.classes END AS classes
        FROM tens t CROSS JOIN unnest(widths) w),
    old AS (
        DELETE FROM log_endpoints o
        USING (SELECT DISTINCT a.timestamp, a.window_seconds, a.service FROM added a) b
        WHERE o.timestamp = b.timestamp AND o.window_seconds = b.window_seconds AND o.service IS NOT DISTINCT FROM b.service
        RETURNING o.*),
    parts AS (
        SELECT a.timestamp, a.window_seconds, a.service, a.endpoint, a.hash, a.requests, a.slow, a.total_ms, a.max_ms, a.histogram,
               a.classes
        FROM added a
        UNION ALL
        SELECT o.timestamp, o.window_seconds, o.service, unnest(o.endpoints), unnest(o.hashes), unnest(o.requests),
               unnest(o.slow), unnest(o.total_ms), unnest(o.max_ms), unnest(o.histograms), unnest(o.classes)
        FROM old o),
    merged AS (
        SELECT p.timestamp, p.window_seconds, p.service, p.endpoint, min(p.hash) AS hash, sum(p.requests) AS requests,
               sum(p.slow) AS slow, sum(p.total_ms) AS total_ms, max(p.max_ms) AS max_ms, sum(p.histogram) AS histogram,
               sum(p.classes) AS classes
        FROM parts p GROUP BY p.timestamp, p.window_seconds, p.service, p.endpoint),
    ranked AS (
        SELECT m.*, m.endpoint <> 'other' AND row_number() OVER (
                   PARTITION BY m.timestamp, m.window_seconds, m.service ORDER BY m.endpoint = 'other', m.hash, m.endpoint) <= 200 AS own
        FROM merged m),
    capped AS (
        SELECT r.timestamp, r.window_seconds, r.service, CASE WHEN r.own THEN r.endpoint ELSE 'other' END AS endpoint,
               min(r.hash) FILTER (WHERE r.own) AS hash, sum(r.requests)::bigint AS requests, sum(r.slow)::bigint AS slow,
               sum(r.total_ms) AS total_ms, max(r.max_ms) AS max_ms, sum(r.histogram) AS histogram, sum(r.classes) AS classes
        FROM ranked r GROUP BY r.timestamp, r.window_seconds, r.service, CASE WHEN r.own THEN r.endpoint ELSE 'other' END)
    INSERT INTO log_endpoints (timestamp, window_seconds, service, endpoints, hashes, requests, slow, total_ms, max_ms, histograms,
                               classes)
    SELECT c.timestamp, c.window_seconds, c.service, array_agg(c.endpoint ORDER BY c.endpoint),
           array_agg(c.hash ORDER BY c.endpoint), array_agg(c.requests ORDER BY c.endpoint), array_agg(c.slow ORDER BY c.endpoint),
           array_agg(c.total_ms ORDER BY c.endpoint), array_agg(c.max_ms ORDER BY c.endpoint),
           array_agg(c.histogram ORDER BY c.endpoint),
           CASE WHEN c.window_seconds > 600 THEN array_agg(c.classes ORDER BY c.endpoint) END
    FROM capped c GROUP BY c.timestamp, c.window_seconds, c.service;
END $$;
-- As before; made anew for the new column.
CREATE OR REPLACE FUNCTION blocks_between(since timestamptz, until timestamptz) RETURNS SETOF log_endpoints
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.*
    FROM (SELECT CASE WHEN EXISTS (SELECT FROM log_endpoints l WHERE l.window_seconds = 600 AND l.timestamp >= block_start(until, 600))
                        OR EXISTS (SELECT FROM log_endpoints l WHERE l.window_seconds = 3600 AND l.timestamp >= until)
                        OR EXISTS (SELECT FROM log_endpoints l WHERE l.window_seconds = 86400 AND l.timestamp >= until)
                 THEN until ELSE next_block(until, 518400) END AS until OFFSET 0) u
    CROSS JOIN LATERAL (
          SELECT 518400 AS seconds, next_block(since, 518400) AS first, block_start(u.until, 518400) AS past
          UNION ALL
          SELECT w.seconds, next_block(since, w.seconds), least(block_start(u.until, w.seconds), next_block(since, w.wider))
          FROM (VALUES (86400, 518400), (21600, 86400), (3600, 21600), (600, 3600)) w (seconds, wider)
          UNION ALL
          SELECT w.seconds, greatest(block_start(u.until, w.wider), next_block(since, w.wider)), block_start(u.until, w.seconds)
          FROM (VALUES (86400, 518400), (21600, 86400), (3600, 21600), (600, 3600)) w (seconds, wider)) b
    CROSS JOIN LATERAL (
          SELECT l.* FROM log_endpoints l
          WHERE l.window_seconds = b.seconds AND l.timestamp >= b.first AND l.timestamp < b.past OFFSET 0) e;
END;

-- The classes of a range by service and endpoint, of what is in blocks; the ends of the range must be whole hours. Blocks cannot be
-- subtracted where a service has more than 200 endpoints: it has one row without endpoint.
CREATE FUNCTION classes_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS TABLE (service text, endpoint text, classes numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH blocks AS MATERIALIZED (
        SELECT r.sign, l.window_seconds, l.service, l.endpoints, l.classes
        FROM block_runs(since, until) r CROSS JOIN LATERAL (
              SELECT l.* FROM log_endpoints l
              WHERE l.window_seconds = r.seconds AND l.timestamp >= r.first AND l.timestamp < r.past OFFSET 0) l
        WHERE only_service IS NULL OR l.service = only_service),
    services AS MATERIALIZED (
        SELECT b.service, bool_or('other' = ANY (b.endpoints)) AS many FROM blocks b GROUP BY b.service)
    SELECT s.service, NULL::text, NULL::numeric FROM services s WHERE s.many
    UNION ALL
    SELECT s.service, e.endpoint, e.classes
    FROM services s CROSS JOIN LATERAL (
          SELECT p.endpoint, sum(CASE WHEN p.sign < 0 THEN -p.classes ELSE p.classes END) AS classes
          FROM (SELECT b.sign, unnest(b.endpoints) AS endpoint, unnest(b.classes) AS classes
                FROM (SELECT b.sign, b.endpoints, b.classes FROM blocks b
                      WHERE b.service IS NOT DISTINCT FROM s.service ORDER BY b.window_seconds DESC) b) p
          GROUP BY p.endpoint) e
    WHERE NOT s.many AND e.classes <> 0;
END;

-- No compactor is at work meanwhile, with functions of before; writers need not wait.
SELECT pg_advisory_xact_lock(hashtext('logflume compaction'), 'log_analytics'::regclass::oid::integer);
UPDATE log_endpoints e
SET classes = ARRAY(SELECT latency_classes(h.histogram) FROM unnest(e.histograms) WITH ORDINALITY h (histogram, i) ORDER BY h.i)
WHERE e.window_seconds > 600;
