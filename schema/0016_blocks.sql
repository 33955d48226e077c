-- Blocks. Four thousand endpoints have four thousand histograms in each minute, and a day of minutes and hours is too much to
-- add up while somebody waits. So compaction adds what the endpoints of a service did to rows of log_endpoints as well: blocks
-- of ten minutes, an hour, six hours, a day and six days. A range is put together from the largest blocks that lie in
-- it, and at its ends from minutes.
--
-- A row of log_analytics is in all five blocks of its time or in none: in_blocks says so, and is set in the statement that adds it.
-- So blocks OR NOT in_blocks counts every event once, and it does not matter that blocks of the present day are not complete.
CREATE TABLE log_endpoints (
    timestamp      timestamptz NOT NULL,          -- start of the block
    window_seconds integer     NOT NULL,          -- its width
    service        text,
    endpoints      text[]      NOT NULL,          -- routes, and "other" for those beyond 200; what follows is in their order
    hashes         bigint[]    NOT NULL,          -- of the routes; NULL for "other"
    requests       bigint[]    NOT NULL,
    slow           bigint[]    NOT NULL,
    total_ms       numeric[]   NOT NULL,          -- sums of response times
    max_ms         numeric[]   NOT NULL,
    histograms     numeric[]   NOT NULL           -- packed
);
CREATE INDEX log_endpoints_blocks ON log_endpoints (window_seconds, timestamp);

-- The start of the block of so many seconds in which a moment is, and the first start from that moment on.
CREATE FUNCTION block_start(at timestamptz, seconds integer) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN date_bin(make_interval(secs => seconds), at, '0001-01-01 00:00:00+00');

CREATE FUNCTION next_block(at timestamptz, seconds integer) RETURNS timestamptz
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN date_bin(make_interval(secs => seconds), at - interval '1 microsecond', '0001-01-01 00:00:00+00') + make_interval(secs => seconds);

-- Packs the histograms of an object by endpoint: two lists in one order. overall is the one of all endpoints together.
CREATE FUNCTION pack_endpoints(latency jsonb, OUT endpoints text[], OUT histograms numeric[], OUT overall numeric)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT
AS $$
BEGIN
    SELECT coalesce(array_agg(p.key ORDER BY p.key), '{}'), coalesce(array_agg(p.packed ORDER BY p.key), '{}'), sum(p.packed)
    INTO endpoints, histograms, overall
    FROM (SELECT e.key, sum((b.c || 'e' || bucket_place(b.k))::numeric) AS packed
          FROM jsonb_each(latency) e
          CROSS JOIN unnest(string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')) b (k, c)
          GROUP BY e.key) p;
END $$;

-- Rows of log_analytics that were merged by compaction have their packed histograms in columns that it fills: those of
-- endpoints in minute rows only, since of hours and days they are in log_endpoints. Computed columns cost more than all
-- the rest of compaction, as each of them unpacks the summary anew.
ALTER TABLE log_analytics ALTER packed_overall DROP EXPRESSION;
ALTER TABLE log_analytics
    ADD COLUMN in_blocks  boolean NOT NULL DEFAULT false,
    ADD COLUMN endpoints  text[],
    ADD COLUMN histograms numeric[];
CREATE INDEX log_analytics_unblocked ON log_analytics (timestamp) WHERE NOT in_blocks;

DO $$
BEGIN
    ALTER TABLE log_analytics ALTER histograms SET COMPRESSION lz4, ALTER endpoints SET COMPRESSION lz4;
    ALTER TABLE log_endpoints ALTER histograms SET COMPRESSION lz4, ALTER endpoints SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL; -- a server built without lz4 compresses its own way
END $$;

COMMENT ON TABLE log_endpoints IS
    'What endpoints did, in blocks of time that overlap: made by compact() from log_analytics, of whose rows it contains those '
    'that are in_blocks. histograms_between(since, until) reads both.';

-- Adds rows of log_analytics to the blocks of their time. The caller marks or deletes them in the same transaction, as the
-- only compactor. The 200 endpoints with the smallest hashes keep their own figures in a block, as in merge_latency.
CREATE FUNCTION add_to_blocks(shares bigint[], widths integer[] DEFAULT '{600,3600,21600,86400,518400}') RETURNS void
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
    tens AS MATERIALIZED (
        SELECT e.ten, e.service, e.endpoint, min(e.hash) AS hash, sum(e.requests) AS requests, sum(e.slow) AS slow,
               sum(e.total_ms) AS total_ms, max(e.max_ms) AS max_ms, sum(e.histogram) AS histogram
        FROM (SELECT p.ten, p.service, e.key AS endpoint, r.h AS hash, r.n AS requests, r.slow, r.sum AS total_ms,
                     r.max AS max_ms, NULL::numeric AS histogram
              FROM picked p CROSS JOIN jsonb_each(p.latency) e CROSS JOIN jsonb_to_record(e.value) AS r (
                   h bigint, n bigint, slow bigint, sum numeric, max numeric)
              UNION ALL
              SELECT p.ten, p.service, unnest(p.endpoints), NULL, NULL, NULL, NULL, NULL, unnest(p.histograms) FROM picked p
              UNION ALL
              SELECT p.ten, p.service, e.key, NULL, NULL, NULL, NULL, NULL, (sum(b.c) || 'e' || bucket_place(b.k))::numeric
              FROM picked p CROSS JOIN jsonb_each(p.latency) e CROSS JOIN unnest(
                   string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
              WHERE p.endpoints IS NULL
              GROUP BY p.ten, p.service, e.key, b.k) e
        GROUP BY e.ten, e.service, e.endpoint),
    added AS (
        SELECT block_start(t.ten, w) AS timestamp, w AS window_seconds, t.* FROM tens t CROSS JOIN unnest(widths) w),
    old AS (
        DELETE FROM log_endpoints o
        USING (SELECT DISTINCT a.timestamp, a.window_seconds, a.service FROM added a) b
        WHERE o.timestamp = b.timestamp AND o.window_seconds = b.window_seconds AND o.service IS NOT DISTINCT FROM b.service
        RETURNING o.*),
    parts AS (
        SELECT a.timestamp, a.window_seconds, a.service, a.endpoint, a.hash, a.requests, a.slow, a.total_ms, a.max_ms, a.histogram
        FROM added a
        UNION ALL
        SELECT o.timestamp, o.window_seconds, o.service, unnest(o.endpoints), unnest(o.hashes), unnest(o.requests),
               unnest(o.slow), unnest(o.total_ms), unnest(o.max_ms), unnest(o.histograms)
        FROM old o),
    merged AS (
        SELECT p.timestamp, p.window_seconds, p.service, p.endpoint, min(p.hash) AS hash, sum(p.requests) AS requests,
               sum(p.slow) AS slow, sum(p.total_ms) AS total_ms, max(p.max_ms) AS max_ms, sum(p.histogram) AS histogram
        FROM parts p GROUP BY p.timestamp, p.window_seconds, p.service, p.endpoint),
    ranked AS (
        SELECT m.*, m.endpoint <> 'other' AND row_number() OVER (
                   PARTITION BY m.timestamp, m.window_seconds, m.service ORDER BY m.endpoint = 'other', m.hash, m.endpoint) <= 200 AS own
        FROM merged m),
    capped AS (
        SELECT r.timestamp, r.window_seconds, r.service, CASE WHEN r.own THEN r.endpoint ELSE 'other' END AS endpoint,
               min(r.hash) FILTER (WHERE r.own) AS hash, sum(r.requests)::bigint AS requests, sum(r.slow)::bigint AS slow,
               sum(r.total_ms) AS total_ms, max(r.max_ms) AS max_ms, sum(r.histogram) AS histogram
        FROM ranked r GROUP BY r.timestamp, r.window_seconds, r.service, CASE WHEN r.own THEN r.endpoint ELSE 'other' END)
    INSERT INTO log_endpoints (timestamp, window_seconds, service, endpoints, hashes, requests, slow, total_ms, max_ms, histograms)
    SELECT c.timestamp, c.window_seconds, c.service, array_agg(c.endpoint ORDER BY c.endpoint),
           array_agg(c.hash ORDER BY c.endpoint), array_agg(c.requests ORDER BY c.endpoint), array_agg(c.slow ORDER BY c.endpoint),
           array_agg(c.total_ms ORDER BY c.endpoint), array_agg(c.max_ms ORDER BY c.endpoint),
           array_agg(c.histogram ORDER BY c.endpoint)
    FROM capped c GROUP BY c.timestamp, c.window_seconds, c.service;
END $$;

-- Adds rows whose ten minutes ended before closed to their blocks, at most batch of them, and returns how many.
CREATE FUNCTION fill_blocks(closed timestamptz, batch integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' SET jit = off
AS $$
DECLARE
    picked bigint[];
BEGIN
    IF NOT become_compactor() THEN
        RETURN 0;
    END IF;
    picked := ARRAY(
        SELECT a.share FROM log_analytics a
        WHERE NOT a.in_blocks AND a.window_seconds < 3600 AND a.timestamp < block_start(closed, 600)
          AND a.timestamp + make_interval(secs => a.window_seconds) <= closed
        ORDER BY a.timestamp, a.share LIMIT batch);
    PERFORM add_to_blocks(picked);
    UPDATE log_analytics a
    SET in_blocks = true, (endpoints, histograms, packed_overall) = (SELECT p.* FROM pack_endpoints(a.summary -> 'latency') p)
    WHERE a.share = ANY (picked) AND a.endpoints IS NULL;
    UPDATE log_analytics SET in_blocks = true WHERE share = ANY (picked) AND NOT in_blocks;
    RETURN cardinality(picked);
END $$;

-- Folds shares of windows that ended before closed: those of one window and service become one row, not rolled yet, and one
-- more while some are in blocks and others are not. Takes at most batch shares and returns how many it took.
CREATE OR REPLACE FUNCTION fold_windows(closed timestamptz, batch integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' SET jit = off
AS $$
DECLARE
    picked bigint[];
BEGIN
    IF NOT become_compactor() THEN
        RETURN 0;
    END IF;
    picked := ARRAY(
        SELECT s.share
        FROM (SELECT a.share, a.timestamp, a.window_seconds, a.service,
                     count(*) OVER (PARTITION BY a.timestamp, a.window_seconds, a.service, a.in_blocks) AS shares
              FROM log_analytics a
              WHERE NOT a.rolled AND a.timestamp < closed
                AND a.timestamp + make_interval(secs => a.window_seconds) <= closed) s
        WHERE s.shares > 1
        ORDER BY s.timestamp, s.window_seconds, s.service, s.share LIMIT greatest(batch, 2));
    WITH gone AS (
        DELETE FROM log_analytics WHERE share = ANY (picked)
        RETURNING timestamp, window_seconds, service, in_blocks, error_patterns, performance_issues, summary)
    INSERT INTO log_analytics (timestamp, window_seconds, service, in_blocks, error_patterns, performance_issues, summary,
                               endpoints, histograms, packed_overall)
    SELECT g.timestamp, g.window_seconds, g.service, g.in_blocks, m.*, p.*
    FROM (SELECT timestamp, window_seconds, service, in_blocks, array_agg(error_patterns) AS patterns,
                 array_agg(performance_issues) AS issues, array_agg(summary) AS summaries
          FROM gone GROUP BY timestamp, window_seconds, service, in_blocks) g
    CROSS JOIN merge_shares(g.patterns, g.issues, g.summaries, 10000) m
    CROSS JOIN pack_endpoints(m.summary -> 'latency') p;
    RETURN cardinality(picked);
END $$;

-- Rolls up one hour that ended before closed, the one with the share that has waited longest: in one statement its
-- unrolled rows become rolled minute rows, merged with those already there, and are added to the row of the hour, to the
-- row of its day and to the totals of their patterns. A row is unrolled until this statement and never again after it, so
-- whatever late lines and folds did before, each error is added to the totals once. What is in no blocks yet is added to
-- them first. Takes at most batch rows; true if more are waiting.
CREATE OR REPLACE FUNCTION roll_hour(closed timestamptz, batch integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' SET jit = off
AS $$
DECLARE
    hour   timestamptz;
    day    timestamptz;
    hours  bigint;
    picked bigint[];
BEGIN
    IF NOT become_compactor() THEN
        RETURN false;
    END IF;
    SELECT h.hour, count(*) OVER () INTO hour, hours
    FROM (SELECT date_trunc('hour', a.timestamp) AS hour, min(a.share) AS oldest
          FROM log_analytics a WHERE NOT a.rolled AND a.timestamp < date_trunc('hour', closed) GROUP BY 1) h
    ORDER BY h.oldest LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    day := date_trunc('day', hour);
    picked := ARRAY(
        SELECT a.share FROM log_analytics a
        WHERE NOT a.rolled AND a.timestamp >= hour AND a.timestamp < hour + interval '1 hour'
        ORDER BY a.share LIMIT greatest(batch, 1));
    PERFORM add_to_blocks(ARRAY(SELECT a.share FROM log_analytics a WHERE a.share = ANY (picked) AND NOT a.in_blocks));

    WITH unrolled AS (
        DELETE FROM log_analytics WHERE share = ANY (picked)
        RETURNING timestamp, window_seconds, service, error_patterns, performance_issues, summary, endpoints, histograms,
                  packed_overall),
    added AS MATERIALIZED ( -- what each service adds to the hour and to the day, with all its patterns
        SELECT u.service, m.*, CASE WHEN u.packed THEN u.overall ELSE pack_overall(m.summary -> 'latency') END AS overall
        FROM (SELECT service, array_agg(error_patterns) AS patterns, array_agg(performance_issues) AS issues,
                     array_agg(summary) AS summaries, sum(packed_overall) AS overall,
                     bool_and(packed_overall IS NOT NULL) AS packed
              FROM unrolled GROUP BY service) u
        CROSS JOIN merge_shares(u.patterns, u.issues, u.summaries, 2147483647) m),
    old_minutes AS (
        DELETE FROM log_analytics a
        USING (SELECT DISTINCT timestamp, window_seconds, service FROM unrolled) u
        WHERE a.rolled AND a.window_seconds < 3600 AND a.timestamp = u.timestamp
          AND a.window_seconds = u.window_seconds AND a.service IS NOT DISTINCT FROM u.service
        RETURNING a.timestamp, a.window_seconds, a.service, a.error_patterns, a.performance_issues, a.summary),
    old_hours AS (
        DELETE FROM log_analytics a USING added u
        WHERE a.window_seconds = 3600 AND a.timestamp = hour AND a.service IS NOT DISTINCT FROM u.service
        RETURNING a.timestamp, a.window_seconds, a.service, a.error_patterns, a.performance_issues, a.summary, a.packed_overall),
    old_days AS (
        DELETE FROM log_analytics a USING added u
        WHERE a.window_seconds = 86400 AND a.timestamp = day AND a.service IS NOT DISTINCT FROM u.service
        RETURNING a.timestamp, a.window_seconds, a.service, a.error_patterns, a.performance_issues, a.summary, a.packed_overall),
    merging AS (
        SELECT timestamp, window_seconds, service, error_patterns, performance_issues, summary, packed_overall AS overall,
               endpoints, histograms
        FROM unrolled
        UNION ALL SELECT *, NULL, NULL, NULL FROM old_minutes
        UNION ALL SELECT hour, 3600, *, NULL, NULL FROM added UNION ALL SELECT *, NULL, NULL FROM old_hours
        UNION ALL SELECT day, 86400, *, NULL, NULL FROM added UNION ALL SELECT *, NULL, NULL FROM old_days),
    groups AS (
        SELECT timestamp, window_seconds, service, array_agg(error_patterns) AS patterns,
               array_agg(performance_issues) AS issues, array_agg(summary) AS summaries, sum(overall) AS overall,
               max(endpoints) AS endpoints, max(histograms) AS histograms,
               window_seconds < 3600 AND (count(*) > 1 OR max(endpoints) IS NULL) AS unpacked
        FROM merging GROUP BY timestamp, window_seconds, service),
    new_rows AS (
        INSERT INTO log_analytics (timestamp, window_seconds, service, rolled, in_blocks, error_patterns, performance_issues,
                                   summary, endpoints, histograms, packed_overall)
        SELECT g.timestamp, g.window_seconds, g.service, true, true, m.*,
               CASE WHEN g.unpacked THEN p.endpoints ELSE g.endpoints END,
               CASE WHEN g.unpacked THEN p.histograms ELSE g.histograms END,
               CASE WHEN g.unpacked THEN p.overall ELSE g.overall END
        FROM groups g
        CROSS JOIN merge_shares(g.patterns, g.issues, g.summaries, CASE WHEN g.window_seconds < 3600 THEN 10000 ELSE 1000 END) m
        CROSS JOIN pack_endpoints(CASE WHEN g.unpacked THEN m.summary -> 'latency' END) p)
    INSERT INTO log_pattern_totals AS t (pattern_id, level, total, services, last_seen)
    SELECT p.pattern_id, (array_agg(p.level ORDER BY p.last DESC, p.level))[1], sum(p.count),
           coalesce((array_agg(DISTINCT u.service) FILTER (WHERE u.service IS NOT NULL))[:100], '{}'), max(p.last)
    FROM added u CROSS JOIN jsonb_to_recordset(u.error_patterns) AS p (
         pattern_id bigint, count bigint, level text, last timestamptz)
    GROUP BY p.pattern_id ORDER BY p.pattern_id
    ON CONFLICT (pattern_id) DO UPDATE SET
        total = t.total + excluded.total,
        level = CASE WHEN excluded.last_seen >= t.last_seen THEN excluded.level ELSE t.level END,
        last_seen = greatest(t.last_seen, excluded.last_seen),
        services = (ARRAY(SELECT DISTINCT s FROM unnest(t.services || excluded.services) s ORDER BY s))[:100];
    RETURN hours > 1 OR cardinality(picked) >= batch;
END $$;

-- One step of compaction: rolls up an hour, folds windows and fills blocks, at most batch shares each. True if there is more
-- to do now; false also if another session is compacting. Windows, blocks and hours are left alone until 2 minutes after
-- their end.
CREATE OR REPLACE FUNCTION compact(batch integer DEFAULT 5000) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    closed constant timestamptz := now() - interval '2 minutes';
    more   boolean;
BEGIN
    IF batch IS NULL OR batch NOT BETWEEN 2 AND 100000 THEN
        RAISE EXCEPTION 'batch must be between 2 and 100000, not %', batch USING ERRCODE = 'invalid_parameter_value';
    END IF;
    more := roll_hour(closed, batch);
    more := fold_windows(closed, batch) >= batch OR more;
    RETURN fill_blocks(closed, batch) >= batch OR more;
END $$;

-- Whoever empties log_analytics empties what was made of it.
CREATE FUNCTION empty_blocks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
    DELETE FROM log_endpoints; -- and not TRUNCATE, which fails where both are emptied by one statement
    RETURN NULL;
END $$;
CREATE TRIGGER empty_blocks AFTER TRUNCATE ON log_analytics FOR EACH STATEMENT EXECUTE FUNCTION empty_blocks();

REVOKE EXECUTE ON FUNCTION add_to_blocks, fill_blocks, fold_windows, roll_hour, compact, empty_blocks FROM PUBLIC;
