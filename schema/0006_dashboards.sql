-- What dashboards ask. A window belongs to a range [since, until) when it starts in it. only_service NULL means all.

-- The rows of log_analytics that together count every event of the range once: in its full hours the hour rows and what
-- is not rolled up yet, at its ends the minute rows. With a retention minute rows are kept for a week, so older ranges should
-- begin and end with an hour. The function is inlined, so that indexes serve it and only the columns used are read.
CREATE FUNCTION analytics_between(since timestamptz, until timestamptz) RETURNS SETOF log_analytics
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT a.* FROM log_analytics a
    WHERE a.window_seconds = 3600
      AND a.timestamp >= date_trunc('hour', since - interval '1 microsecond', 'UTC') + interval '1 hour'
      AND a.timestamp < date_trunc('hour', until, 'UTC')
    UNION ALL
    SELECT a.* FROM log_analytics a
    WHERE NOT a.rolled
      AND a.timestamp >= date_trunc('hour', since - interval '1 microsecond', 'UTC') + interval '1 hour'
      AND a.timestamp < date_trunc('hour', until, 'UTC')
    UNION ALL
    SELECT a.* FROM log_analytics a
    WHERE a.window_seconds < 3600 AND a.timestamp >= since
      AND a.timestamp < least(until, date_trunc('hour', since - interval '1 microsecond', 'UTC') + interval '1 hour')
    UNION ALL
    SELECT a.* FROM log_analytics a
    WHERE a.window_seconds < 3600 AND a.timestamp < until
      AND a.timestamp >= greatest(date_trunc('hour', until, 'UTC'),
                                  date_trunc('hour', since - interval '1 microsecond', 'UTC') + interval '1 hour');
END;

-- The most frequent errors. Hour rows list their thousand most frequent patterns, so counts of rarer ones are a lower bound.
CREATE FUNCTION top_errors(since timestamptz, until timestamptz, only_service text DEFAULT NULL, most integer DEFAULT 20)
RETURNS TABLE (pattern_id bigint, pattern text, count bigint, level text, services text[], first timestamptz,
               last timestamptz, sample text)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT p.pattern_id, max(p.pattern), sum(p.count)::bigint AS total,
           (array_agg(p.level ORDER BY p.last DESC, p.level))[1], array_agg(DISTINCT w.service), min(p.first), max(p.last),
           (array_agg(p.sample ORDER BY p.last DESC, p.sample))[1]
    FROM analytics_between(since, until) w CROSS JOIN jsonb_to_recordset(w.error_patterns) AS p (
         pattern_id bigint, pattern text, count bigint, level text, first timestamptz, last timestamptz, sample text)
    WHERE only_service IS NULL OR w.service = only_service
    GROUP BY p.pattern_id ORDER BY total DESC, p.pattern_id LIMIT most;
END;

-- Errors by pattern since ever: what is rolled up, and what is not yet.
CREATE VIEW error_totals AS
SELECT t.pattern_id, p.pattern, (array_agg(t.level ORDER BY t.last_seen DESC, t.level))[1] AS level,
       sum(t.total)::bigint AS total, p.first_seen, max(t.last_seen) AS last_seen, p.sample
FROM (SELECT pattern_id, level, total, last_seen FROM log_pattern_totals
      UNION ALL
      SELECT e.pattern_id, e.level, e.count, e.last
      FROM log_analytics a CROSS JOIN jsonb_to_recordset(a.error_patterns) AS e (
           pattern_id bigint, count bigint, level text, last timestamptz)
      WHERE NOT a.rolled) t
LEFT JOIN log_patterns p USING (pattern_id)
GROUP BY t.pattern_id, p.pattern, p.first_seen, p.sample;

-- Latency by endpoint in ms, within 1 % of percentile_disc over the requests themselves. Endpoints beyond the 200 of a
-- window have no quantiles of their own: they are in the endpoint "other".
CREATE FUNCTION latency_quantiles(since timestamptz, until timestamptz,
                                  quantiles double precision[] DEFAULT '{0.5,0.95,0.99}',
                                  only_service text DEFAULT NULL, only_endpoint text DEFAULT NULL)
RETURNS TABLE (endpoint text, requests bigint, quantile double precision, ms double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH buckets AS (
        SELECT e.key AS endpoint, b.k, sum(b.c) AS c
        FROM analytics_between(since, until) w
        CROSS JOIN jsonb_each(w.summary -> 'latency') e
        CROSS JOIN unnest(string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
        WHERE (only_service IS NULL OR w.service = only_service) AND (only_endpoint IS NULL OR e.key = only_endpoint)
        GROUP BY e.key, b.k),
    ranks AS (
        SELECT b.endpoint, b.k, sum(b.c) OVER (PARTITION BY b.endpoint ORDER BY b.k) AS rank,
               sum(b.c) OVER (PARTITION BY b.endpoint) AS n
        FROM buckets b)
    SELECT r.endpoint, max(r.n)::bigint, q, latency_value(min(r.k) FILTER (WHERE r.rank >= q * r.n::double precision))
    FROM ranks r CROSS JOIN unnest(quantiles) q GROUP BY r.endpoint, q ORDER BY r.endpoint, q;
END;

-- The endpoints with the highest 95th percentile. ms throughout; max is exact.
CREATE FUNCTION slowest_endpoints(since timestamptz, until timestamptz, most integer DEFAULT 20, only_service text DEFAULT NULL)
RETURNS TABLE (endpoint text, requests bigint, slow bigint, p50 double precision, p95 double precision, p99 double precision,
               mean double precision, max double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH quantiles AS (
        SELECT q.endpoint, max(q.requests) AS requests, max(q.ms) FILTER (WHERE q.quantile = 0.5) AS p50,
               max(q.ms) FILTER (WHERE q.quantile = 0.95) AS p95, max(q.ms) FILTER (WHERE q.quantile = 0.99) AS p99
        FROM latency_quantiles(since, until, '{0.5,0.95,0.99}', only_service) q GROUP BY q.endpoint),
    sums AS (
        SELECT e.key AS endpoint, sum((e.value ->> 'slow')::bigint) AS slow,
               sum((e.value ->> 'sum')::double precision) AS sum, max((e.value ->> 'max')::double precision) AS max
        FROM analytics_between(since, until) w CROSS JOIN jsonb_each(w.summary -> 'latency') e
        WHERE only_service IS NULL OR w.service = only_service GROUP BY e.key)
    SELECT q.endpoint, q.requests, s.slow::bigint, q.p50, q.p95, q.p99, s.sum / q.requests, s.max
    FROM quantiles q JOIN sums s ON s.endpoint = q.endpoint ORDER BY q.p95 DESC, q.endpoint LIMIT most;
END;

-- Events and requests by service and step of time. Steps of whole hours read hour rows; shorter ones read minute rows,
-- which a retention keeps for a week. Steps in which a service logged nothing have no row.
CREATE FUNCTION request_rate(since timestamptz, until timestamptz, step interval DEFAULT '1 minute',
                             only_service text DEFAULT NULL)
RETURNS TABLE (at timestamptz, service text, logs bigint, errors bigint, requests bigint, failed bigint, slow bigint,
               requests_per_second double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH rows AS (
        SELECT a.timestamp, a.service, a.summary FROM analytics_between(since, until) a
        WHERE extract(epoch FROM step)::bigint % 3600 = 0
        UNION ALL
        SELECT a.timestamp, a.service, a.summary FROM log_analytics a
        WHERE extract(epoch FROM step)::bigint % 3600 <> 0
          AND a.window_seconds < 3600 AND a.timestamp >= since AND a.timestamp < until)
    SELECT date_bin(step, r.timestamp, '2000-01-01 00:00:00+00') AS bin, r.service,
           sum((r.summary ->> 'total_logs')::bigint)::bigint, sum((r.summary ->> 'total_errors')::bigint)::bigint,
           sum((r.summary ->> 'requests')::bigint)::bigint, sum((r.summary ->> 'failed')::bigint)::bigint,
           sum((r.summary ->> 'slow_requests')::bigint)::bigint,
           sum((r.summary ->> 'requests')::bigint)::double precision / extract(epoch FROM step)::double precision
    FROM rows r WHERE only_service IS NULL OR r.service = only_service
    GROUP BY bin, r.service ORDER BY bin, r.service;
END;

-- About how many distinct values there were: what is 'users', 'tenants' or 'patterns'; standard error 1.6 %.
CREATE FUNCTION unique_count(what text, since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT round(hll_estimate(merge_registers(array_agg(w.summary ->> what)
                                                  FILTER (WHERE jsonb_typeof(w.summary -> what) = 'string'))))::bigint
    FROM analytics_between(since, until) w WHERE only_service IS NULL OR w.service = only_service;
END;
