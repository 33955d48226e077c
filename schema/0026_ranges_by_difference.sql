-- Ranges of histograms by difference: the end of a range is the larger block around it, less what of that lies outside, where
-- this takes fewer rows. What began at ten to one and lasted until six is the six hours from midnight less one hour, and ten
-- minutes. Histograms are counts, so differences of them are exact.

-- What a range is put together from, but for its minutes: runs of blocks of one width, from first to before past, that are to be
-- added (sign 1) or subtracted (-1). Its ends are taken to the nearest ten minutes. Ends beyond all that is in blocks need none.
CREATE FUNCTION block_runs(since timestamptz, until timestamptz)
RETURNS TABLE (seconds integer, first timestamptz, past timestamptz, sign integer)
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path FROM CURRENT ROWS 9
AS $$
DECLARE
    widths constant integer[] := '{600,3600,21600,86400,518400}';
    origin constant timestamptz := '0001-01-01 00:00:00+00'; -- of block_start
    earliest timestamptz;
    latest   timestamptz;
    low      bigint; -- ends of what is left, in seconds from the origin, multiples of the width
    high     bigint;
    wider    integer;
    rounded_low  bigint;
    rounded_high bigint;
BEGIN
    SELECT min(l.timestamp), max(l.timestamp) + interval '518400 seconds' INTO earliest, latest
    FROM log_endpoints l WHERE l.window_seconds = 518400;
    IF NOT since < until OR NOT until > earliest OR NOT since < latest THEN
        RETURN;
    END IF;
    -- Blocks of the present day hold what there is of it, so the largest do where nothing is later.
    IF NOT EXISTS (SELECT FROM log_endpoints l WHERE l.window_seconds = 600 AND l.timestamp >= block_start(until, 600))
       AND NOT EXISTS (SELECT FROM log_endpoints l WHERE l.window_seconds = 3600 AND l.timestamp >= until)
       AND NOT EXISTS (SELECT FROM log_endpoints l WHERE l.window_seconds = 86400 AND l.timestamp >= until) THEN
        until := latest;
    END IF;
    low := extract(epoch FROM block_start(greatest(since, earliest) + interval '5 minutes', 600) - origin);
    high := extract(epoch FROM block_start(least(until, latest) + interval '5 minutes', 600) - origin);
    FOR i IN 1..cardinality(widths) LOOP
        seconds := widths[i];
        wider := widths[i + 1];
        rounded_low := (low + wider / 2) / wider * wider;
        rounded_high := (high + wider / 2) / wider * wider;
        IF wider IS NULL OR (high - low) / seconds <=
           (abs(rounded_low - low) + abs(high - rounded_high)) / seconds + (rounded_high - rounded_low) / wider THEN
            first := origin + make_interval(secs => low);
            past := origin + make_interval(secs => high);
            sign := 1;
            RETURN NEXT;
            RETURN;
        END IF;
        first := origin + make_interval(secs => least(low, rounded_low));
        past := origin + make_interval(secs => greatest(low, rounded_low));
        sign := sign(rounded_low - low);
        RETURN NEXT;
        first := origin + make_interval(secs => least(high, rounded_high));
        past := origin + make_interval(secs => greatest(high, rounded_high));
        sign := sign(high - rounded_high);
        RETURN NEXT;
        low := rounded_low;
        high := rounded_high;
    END LOOP;
END $$;

-- The packed histograms of a range, one of each service and endpoint. What was inserted just now is in no block and not packed.
-- A block tells apart 200 endpoints of a service, where there are more not the same in every block: ranges of such services are put
-- together without differences. Services are added up one after another, and the widest blocks first: so the two hundred sums of one
-- stay in the processor's cache while they are added to, take the same memory as those before, and seldom grow.
CREATE OR REPLACE FUNCTION histograms_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL,
                                              only_endpoint text DEFAULT NULL)
RETURNS TABLE (service text, endpoint text, histogram numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH blocks AS MATERIALIZED (
        SELECT r.sign, l.window_seconds, l.service, l.endpoints, l.histograms, 'other' = ANY (l.endpoints) AS capped
        FROM block_runs(since, until) r CROSS JOIN LATERAL (
              SELECT l.* FROM log_endpoints l
              WHERE l.window_seconds = r.seconds AND l.timestamp >= r.first AND l.timestamp < r.past OFFSET 0) l
        WHERE only_service IS NULL OR l.service = only_service),
    many AS MATERIALIZED (
        SELECT coalesce(array_agg(DISTINCT coalesce(b.service, '')), '{}') AS services FROM blocks b WHERE b.capped),
    minutes AS (
        SELECT 1 AS sign, a.* FROM log_analytics a
        WHERE NOT a.in_blocks AND a.window_seconds < 3600 AND a.timestamp >= since AND a.timestamp < until
        UNION ALL
        SELECT e.sign * CASE WHEN e.block > e.at THEN 1 ELSE -1 END, a.*
        FROM (VALUES (since, block_start(since + interval '5 minutes', 600), 1),
                     (until, block_start(until + interval '5 minutes', 600), -1)) e (at, block, sign)
        CROSS JOIN LATERAL (
              SELECT a.* FROM log_analytics a
              WHERE a.in_blocks AND a.window_seconds < 3600
                AND a.timestamp >= least(e.at, e.block) AND a.timestamp < greatest(e.at, e.block) OFFSET 0) a
        WHERE since < until),
    rows AS (
        SELECT b.sign, b.window_seconds, b.service, b.endpoints, b.histograms, NULL::jsonb AS summary
        FROM blocks b CROSS JOIN many m WHERE coalesce(b.service, '') <> ALL (m.services)
        UNION ALL
        SELECT w.sign, w.window_seconds, w.service, w.endpoints, w.histograms, w.summary
        FROM minutes w CROSS JOIN many m WHERE coalesce(w.service, '') <> ALL (m.services)
        UNION ALL
        SELECT 1, b.window_seconds, b.service, b.endpoints, b.histograms, NULL
        FROM many m CROSS JOIN blocks_between(since, until) b WHERE coalesce(b.service, '') = ANY (m.services)
        UNION ALL
        SELECT 1, w.window_seconds, w.service, w.endpoints, w.histograms, w.summary
        FROM many m CROSS JOIN unblocked_between(since, until) w WHERE coalesce(w.service, '') = ANY (m.services))
    SELECT s.service, h.endpoint, h.histogram
    FROM (SELECT DISTINCT r.service FROM rows r WHERE only_service IS NULL OR r.service = only_service) s
    CROSS JOIN LATERAL (
          SELECT p.endpoint, sum(CASE WHEN p.sign < 0 THEN -p.histogram ELSE p.histogram END) AS histogram
          FROM (SELECT r.sign, unnest(r.endpoints) AS endpoint, unnest(r.histograms) AS histogram
                FROM (SELECT r.sign, r.endpoints, r.histograms FROM rows r
                      WHERE r.service IS NOT DISTINCT FROM s.service AND r.endpoints IS NOT NULL
                        AND (only_endpoint IS NULL OR only_endpoint = ANY (r.endpoints))
                      ORDER BY r.window_seconds DESC) r
                UNION ALL
                SELECT c.sign, c.key, cumulate(sum(c.counts))
                FROM (SELECT r.sign, e.key, (sum(b.c) || 'e' || bucket_place(b.k))::numeric AS counts
                      FROM rows r CROSS JOIN jsonb_each(r.summary -> 'latency') e CROSS JOIN unnest(
                           string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
                      WHERE r.service IS NOT DISTINCT FROM s.service AND r.endpoints IS NULL
                      GROUP BY r.sign, e.key, b.k) c
                GROUP BY c.sign, c.key) p
          WHERE only_endpoint IS NULL OR p.endpoint = only_endpoint
          GROUP BY p.endpoint) h
    WHERE h.histogram <> 0;
END;

-- The packed histograms of a range by endpoint, whatever the service. Most are of one service: these are not added up again.
CREATE FUNCTION endpoint_histograms(since timestamptz, until timestamptz, only_service text DEFAULT NULL,
                                    only_endpoint text DEFAULT NULL)
RETURNS TABLE (endpoint text, histogram numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH histograms AS MATERIALIZED (
        SELECT h.endpoint, h.histogram FROM histograms_between(since, until, only_service, only_endpoint) h),
    several AS (
        SELECT h.endpoint FROM histograms h GROUP BY h.endpoint HAVING count(*) > 1)
    SELECT h.endpoint, h.histogram FROM histograms h WHERE h.endpoint NOT IN (SELECT s.endpoint FROM several s)
    UNION ALL
    SELECT h.endpoint, sum(h.histogram) FROM histograms h WHERE h.endpoint IN (SELECT s.endpoint FROM several s)
    GROUP BY h.endpoint;
END;

-- As before.
CREATE OR REPLACE FUNCTION latency_quantiles(since timestamptz, until timestamptz,
                                             quantiles double precision[] DEFAULT '{0.5,0.95,0.99}',
                                             only_service text DEFAULT NULL, only_endpoint text DEFAULT NULL)
RETURNS TABLE (endpoint text, requests bigint, quantile double precision, ms double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off SET enable_sort = off SET work_mem = '128MB'
BEGIN ATOMIC
    SELECT h.endpoint, b.requests, q.q, latency_value(q.bucket)
    FROM endpoint_histograms(since, until, only_service, only_endpoint) h
    CROSS JOIN latency_buckets(h.histogram, quantiles) b CROSS JOIN unnest(quantiles, b.buckets) q (q, bucket)
    ORDER BY h.endpoint, q.q;
END;

CREATE OR REPLACE FUNCTION slowest_endpoints(since timestamptz, until timestamptz, most integer DEFAULT 20,
                                             only_service text DEFAULT NULL)
RETURNS TABLE (endpoint text, requests bigint, slow bigint, p50 double precision, p95 double precision, p99 double precision,
               mean double precision, max double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off SET enable_sort = off SET work_mem = '128MB'
BEGIN ATOMIC
    WITH slowest AS MATERIALIZED (
        SELECT h.endpoint, h.histogram, latency_bucket(h.histogram, 0.95) AS bucket
        FROM endpoint_histograms(since, until, only_service) h
        ORDER BY bucket DESC, h.endpoint LIMIT most),
    sums AS (
        SELECT e.endpoint, sum(e.requests)::bigint AS n, sum(e.slow)::bigint AS slow,
               sum(e.total_ms)::double precision AS total_ms, max(e.max_ms)::double precision AS max_ms
        FROM endpoints_between(since, until, only_service) e
        WHERE e.endpoint = ANY (ARRAY(SELECT s.endpoint FROM slowest s)) GROUP BY e.endpoint)
    SELECT s.endpoint, t.n, t.slow, latency_value(b.buckets[1]), latency_value(s.bucket), latency_value(b.buckets[2]),
           t.total_ms / t.n, t.max_ms
    FROM slowest s JOIN sums t ON t.endpoint = s.endpoint CROSS JOIN latency_buckets(s.histogram, '{0.5,0.99}') b
    ORDER BY s.bucket DESC, s.endpoint;
END;

-- As before, but blocks go together with the wider ones that they are subtracted from: minutes and tens of minutes by whole
-- hours, all others by six days.
CREATE OR REPLACE FUNCTION trim_tables(expired timestamptz, windows timestamptz, batch integer) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    -- The hour rows hold what minute rows say, in a sixtieth of the space, so these go after a week at the latest.
    minutes constant timestamptz := block_start(greatest(expired, now() - interval '7 days'), 3600);
    blocks  constant timestamptz := block_start(windows, 518400);
    removed bigint;
    more    text;
BEGIN
    IF become_compactor() THEN -- or the two could wait for each other's rows
        DELETE FROM log_analytics WHERE share = ANY (ARRAY(
            SELECT share FROM log_analytics WHERE window_seconds < 3600 AND timestamp < minutes AND rolled LIMIT batch));
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed >= batch THEN more := 'log_analytics'; END IF;

        DELETE FROM log_analytics WHERE share = ANY (ARRAY(
            SELECT share FROM log_analytics
            WHERE window_seconds = 3600 AND timestamp < windows - interval '1 hour' LIMIT batch));
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed >= batch THEN more := 'log_analytics'; END IF;

        DELETE FROM log_analytics WHERE share = ANY (ARRAY(
            SELECT share FROM log_analytics
            WHERE window_seconds = 86400 AND timestamp < windows - interval '1 day' LIMIT batch));
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed >= batch THEN more := 'log_analytics'; END IF;

        DELETE FROM log_endpoints WHERE ctid = ANY (ARRAY(
            SELECT e.ctid FROM log_endpoints e
            WHERE e.timestamp < CASE e.window_seconds WHEN 600 THEN minutes ELSE blocks END LIMIT batch));
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed >= batch THEN more := 'log_endpoints'; END IF;
    END IF;

    DELETE FROM log_dead_letters WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM log_dead_letters WHERE received_at < expired LIMIT batch));
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed >= batch THEN more := 'log_dead_letters'; END IF;

    DELETE FROM log_instances WHERE seen_at < expired;
    PERFORM fold_positions(expired);
    RETURN more;
END $$;