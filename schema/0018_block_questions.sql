-- Questions about endpoints, from blocks.

-- The blocks that lie in a range: the largest, and at its ends those of a width that no larger one covers, large ones first, so
-- that sums need not grow. A range that ends after all that is in blocks ends, for that, with the largest block: those of the
-- present day hold what there is of it. The function is inlined, like the next; OFFSET 0 keeps the planner from reading all blocks
-- for the sake of other conditions.
CREATE FUNCTION blocks_between(since timestamptz, until timestamptz) RETURNS SETOF log_endpoints
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

-- The rows of log_analytics that with blocks_between count every event of the range once: minutes at its ends, and what is
-- in no block yet.
CREATE FUNCTION unblocked_between(since timestamptz, until timestamptz) RETURNS SETOF log_analytics
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT a.* FROM log_analytics a
    WHERE NOT a.in_blocks AND a.window_seconds < 3600
      AND a.timestamp >= next_block(since, 600) AND a.timestamp < block_start(until, 600)
    UNION ALL
    SELECT a.* FROM log_analytics a
    WHERE a.window_seconds < 3600 AND a.timestamp >= since AND a.timestamp < least(until, next_block(since, 600))
    UNION ALL
    SELECT a.* FROM log_analytics a
    WHERE a.window_seconds < 3600 AND a.timestamp < until
      AND a.timestamp >= greatest(block_start(until, 600), next_block(since, 600));
END;

-- The packed histograms of a range by service and endpoint; sum() adds them up. There may be several of one endpoint. What was
-- inserted just now is in no block and not packed: each of its buckets becomes a histogram.
CREATE OR REPLACE FUNCTION histograms_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL,
                                              only_endpoint text DEFAULT NULL)
RETURNS TABLE (service text, endpoint text, histogram numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT h.service, h.endpoint, h.histogram
    FROM (SELECT b.service, unnest(b.endpoints) AS endpoint, unnest(b.histograms) AS histogram
          FROM blocks_between(since, until) b
          WHERE (only_service IS NULL OR b.service = only_service) AND (only_endpoint IS NULL OR only_endpoint = ANY (b.endpoints))
          UNION ALL
          SELECT w.service, unnest(w.endpoints), unnest(w.histograms)
          FROM unblocked_between(since, until) w
          WHERE (only_service IS NULL OR w.service = only_service) AND (only_endpoint IS NULL OR only_endpoint = ANY (w.endpoints))) h
    WHERE only_endpoint IS NULL OR h.endpoint = only_endpoint
    UNION ALL
    SELECT w.service, e.key, (sum(b.c) || 'e' || bucket_place(b.k))::numeric
    FROM unblocked_between(since, until) w CROSS JOIN jsonb_each(w.summary -> 'latency') e
    CROSS JOIN unnest(string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
    WHERE w.endpoints IS NULL
      AND (only_service IS NULL OR w.service = only_service) AND (only_endpoint IS NULL OR e.key = only_endpoint)
    GROUP BY w.service, e.key, b.k;
END;

-- The other figures of endpoints in a range; there may be several rows of one.
CREATE FUNCTION endpoints_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS TABLE (service text, endpoint text, requests bigint, slow bigint, total_ms numeric, max_ms numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT b.service, unnest(b.endpoints), unnest(b.requests), unnest(b.slow), unnest(b.total_ms), unnest(b.max_ms)
    FROM blocks_between(since, until) b WHERE only_service IS NULL OR b.service = only_service
    UNION ALL
    SELECT w.service, e.key, (e.value ->> 'n')::bigint, (e.value ->> 'slow')::bigint, (e.value ->> 'sum')::numeric,
           (e.value ->> 'max')::numeric
    FROM unblocked_between(since, until) w CROSS JOIN jsonb_each(w.summary -> 'latency') e
    WHERE only_service IS NULL OR w.service = only_service;
END;

-- How many requests a packed histogram has, and the bucket of each quantile: that of the request that percentile_disc would
-- name, and how many are in buckets above. Divided by 1 - 10^-12, a histogram has in the digits of each bucket how many requests are in it and above, a list in
-- descending order: what numeric_send makes of it is searched by halving, six bytes a bucket.
CREATE FUNCTION latency_buckets(histogram numeric, quantiles double precision[], OUT requests bigint, OUT buckets integer[],
                                OUT above bigint[])
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    first  constant integer := -scale(histogram) / 12; -- number of the bucket in the last twelve digits
    sums    bytea := numeric_send(div(histogram * ('1e' || 12 - 12 * first)::numeric, 999999999999));
    weight constant integer := 256 * get_byte(sums, 2) + get_byte(sums, 3); -- of the first four digits
    last   constant integer := weight / 3; -- place of the lowest bucket in sums
    most    bytea; -- requests above the bucket, or fewer
    low     integer;
    high    integer;
    middle  integer;
    at      integer; -- where the number of a place begins
    q       double precision;
BEGIN
    -- Four digits are two bytes. Zeros are not sent at the end, nor at the beginning.
    sums := substr('\x00000000000000000000'::bytea, 1, 6 + 2 * (3 * last + 2 - weight)) || substr(sums, 9);
    sums := sums || decode(repeat('00', 6 * last + 12 - octet_length(sums)), 'hex');
    at := 6 * last + 6;
    requests := (256 * get_byte(sums, at) + get_byte(sums, at + 1)) * 100000000::bigint
              + (256 * get_byte(sums, at + 2) + get_byte(sums, at + 3)) * 10000 + 256 * get_byte(sums, at + 4) + get_byte(sums, at + 5);
    FOREACH q IN ARRAY quantiles LOOP
        most := substr(numeric_send(1000000000000 + requests - greatest(ceil(q * requests), 1)::numeric)
                       || '\x000000000000'::bytea, 11, 6);
        low := -1; -- the place where there are no requests
        high := last;
        WHILE high - low > 1 LOOP
            middle := (low + high) / 2;
            IF substr(sums, 6 * middle + 7, 6) > most THEN
                high := middle;
            ELSE
                low := middle;
            END IF;
        END LOOP;
        buckets := buckets || CASE first + last - high WHEN -1040 THEN -2147483648 ELSE first + last - high END;
        at := 6 * high;
        above := above || (
            (256 * get_byte(sums, at) + get_byte(sums, at + 1)) * 100000000::bigint
            + (256 * get_byte(sums, at + 2) + get_byte(sums, at + 3)) * 10000 + 256 * get_byte(sums, at + 4) + get_byte(sums, at + 5));
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION latency_bucket(histogram numeric, q double precision) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (latency_buckets(histogram, ARRAY[q])).buckets[1];

-- Functions that add up the histograms of all endpoints are planned without sorting: the planner cannot know how many there
-- are, and sorting them costs many times what hashing does. work_mem holds some ten thousand sums.

-- Latency by endpoint in ms, within 1 % of percentile_disc over the requests themselves. Endpoints beyond the 200 of a
-- window have no quantiles of their own: they are in the endpoint "other".
CREATE OR REPLACE FUNCTION latency_quantiles(since timestamptz, until timestamptz,
                                             quantiles double precision[] DEFAULT '{0.5,0.95,0.99}',
                                             only_service text DEFAULT NULL, only_endpoint text DEFAULT NULL)
RETURNS TABLE (endpoint text, requests bigint, quantile double precision, ms double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off SET enable_sort = off SET work_mem = '128MB'
BEGIN ATOMIC
    SELECT h.endpoint, b.requests, q.q, latency_value(q.bucket)
    FROM (SELECT b.endpoint, sum(b.histogram) AS histogram
          FROM histograms_between(since, until, only_service, only_endpoint) b GROUP BY b.endpoint) h
    CROSS JOIN latency_buckets(h.histogram, quantiles) b CROSS JOIN unnest(quantiles, b.buckets) q (q, bucket)
    ORDER BY h.endpoint, q.q;
END;

-- The endpoints with the highest 95th percentile. ms throughout; mean and max are exact.
CREATE OR REPLACE FUNCTION slowest_endpoints(since timestamptz, until timestamptz, most integer DEFAULT 20,
                                             only_service text DEFAULT NULL)
RETURNS TABLE (endpoint text, requests bigint, slow bigint, p50 double precision, p95 double precision, p99 double precision,
               mean double precision, max double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off SET enable_sort = off SET work_mem = '128MB'
BEGIN ATOMIC
    WITH slowest AS MATERIALIZED (
        SELECT h.endpoint, h.histogram, latency_bucket(h.histogram, 0.95) AS bucket
        FROM (SELECT b.endpoint, sum(b.histogram) AS histogram
              FROM histograms_between(since, until, only_service) b GROUP BY b.endpoint) h
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
