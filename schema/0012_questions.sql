-- What dashboards ask, from day rows where a range holds full days. A window belongs to a range [since, until) when it
-- starts in it. only_service NULL means all.

-- The packed histograms of a range by service and endpoint; sum() adds them up. There may be several of one endpoint. Rows
-- that compaction made have them ready, of others each bucket becomes one.
CREATE FUNCTION histograms_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL,
                                   only_endpoint text DEFAULT NULL)
RETURNS TABLE (service text, endpoint text, histogram numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT w.service, e.key, e.value::numeric
    FROM rollups_between(since, until) w CROSS JOIN jsonb_each(w.packed_latency) e
    WHERE (only_service IS NULL OR w.service = only_service) AND (only_endpoint IS NULL OR e.key = only_endpoint)
    UNION ALL
    SELECT w.service, e.key, (sum(b.c) || 'e' || bucket_place(b.k))::numeric
    FROM rollups_between(since, until) w CROSS JOIN jsonb_each(w.summary -> 'latency') e
    CROSS JOIN unnest(string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
    WHERE w.packed_latency IS NULL
      AND (only_service IS NULL OR w.service = only_service) AND (only_endpoint IS NULL OR e.key = only_endpoint)
    GROUP BY w.service, e.key, b.k;
END;

-- The same without telling endpoints apart.
CREATE FUNCTION overall_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS TABLE (service text, histogram numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT w.service, w.packed_overall FROM rollups_between(since, until) w
    WHERE w.packed_overall IS NOT NULL AND (only_service IS NULL OR w.service = only_service)
    UNION ALL
    SELECT w.service, (sum(b.c) || 'e' || bucket_place(b.k))::numeric
    FROM rollups_between(since, until) w CROSS JOIN jsonb_each(w.summary -> 'latency') e
    CROSS JOIN unnest(string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
    WHERE w.packed_latency IS NULL AND (only_service IS NULL OR w.service = only_service)
    GROUP BY w.service, b.k;
END;

-- The most frequent errors. Hour and day rows list their thousand most frequent patterns, so counts of rarer ones are a
-- lower bound.
CREATE OR REPLACE FUNCTION top_errors(since timestamptz, until timestamptz, only_service text DEFAULT NULL,
                                      most integer DEFAULT 20)
RETURNS TABLE (pattern_id bigint, pattern text, count bigint, level text, services text[], first timestamptz,
               last timestamptz, sample text)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT coalesce(a.to_id, p.pattern_id) AS id, coalesce(max(a.pattern), max(p.pattern)), sum(p.count)::bigint AS total,
           (array_agg(p.level ORDER BY p.last DESC, p.level))[1], array_agg(DISTINCT w.service), min(p.first), max(p.last),
           (array_agg(p.sample ORDER BY p.last DESC, p.sample))[1]
    FROM rollups_between(since, until) w CROSS JOIN jsonb_to_recordset(w.error_patterns) AS p (
         pattern_id bigint, pattern text, count bigint, level text, first timestamptz, last timestamptz, sample text)
    LEFT JOIN log_pattern_aliases a ON a.from_id = p.pattern_id
    WHERE only_service IS NULL OR w.service = only_service
    GROUP BY id ORDER BY total DESC, id LIMIT most;
END;

-- Errors, exactly.
CREATE FUNCTION total_errors(since timestamptz, until timestamptz, only_service text DEFAULT NULL) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT coalesce(sum((w.totals ->> 'total_errors')::bigint), 0)::bigint
    FROM rollups_between(since, until) w WHERE only_service IS NULL OR w.service = only_service;
END;

-- Different patterns of errors: exact as long as no row left one out, else at least the number that are listed.
CREATE FUNCTION unique_error_patterns(since timestamptz, until timestamptz, only_service text DEFAULT NULL) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT CASE WHEN r.unlisted = 0 THEN l.listed
           ELSE greatest(l.listed, unique_count('patterns', since, until, only_service)) END
    FROM (SELECT count(*) AS listed FROM top_errors(since, until, only_service, NULL)) l
    CROSS JOIN (SELECT coalesce(sum((w.totals ->> 'rest_errors')::bigint), 0) AS unlisted
                FROM rollups_between(since, until) w WHERE only_service IS NULL OR w.service = only_service) r;
END;

-- Errors of patterns that the fleet met for the first time since then, the most frequent first. The clock is the
-- database's, not that of the events.
CREATE FUNCTION new_errors(since timestamptz, most integer DEFAULT 100)
RETURNS TABLE (pattern_id bigint, pattern text, count bigint, level text, first_seen timestamptz, last_seen timestamptz,
               sample text)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT t.pattern_id, t.pattern, t.total AS total, t.level, t.first_seen, t.last_seen, t.sample
    FROM error_totals t WHERE t.first_seen >= since
    ORDER BY total DESC, t.pattern_id LIMIT most;
END;

-- Shares of errors among events, and of failures among requests, by service.
CREATE FUNCTION error_rate(since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS TABLE (service text, logs bigint, errors bigint, error_rate double precision, requests bigint, failed bigint,
               failure_rate double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT s.service, s.logs, s.errors, s.errors / nullif(s.logs, 0)::double precision, s.requests, s.failed,
           s.failed / nullif(s.requests, 0)::double precision
    FROM (SELECT w.service, coalesce(sum((w.totals ->> 'total_logs')::bigint), 0)::bigint AS logs,
                 coalesce(sum((w.totals ->> 'total_errors')::bigint), 0)::bigint AS errors,
                 coalesce(sum((w.totals ->> 'requests')::bigint), 0)::bigint AS requests,
                 coalesce(sum((w.totals ->> 'failed')::bigint), 0)::bigint AS failed
          FROM rollups_between(since, until) w WHERE only_service IS NULL OR w.service = only_service
          GROUP BY w.service) s
    ORDER BY s.service;
END;

-- Latency by endpoint in ms, within 1 % of percentile_disc over the requests themselves. Endpoints beyond the 200 of a
-- window have no quantiles of their own: they are in the endpoint "other".
CREATE OR REPLACE FUNCTION latency_quantiles(since timestamptz, until timestamptz,
                                             quantiles double precision[] DEFAULT '{0.5,0.95,0.99}',
                                             only_service text DEFAULT NULL, only_endpoint text DEFAULT NULL)
RETURNS TABLE (endpoint text, requests bigint, quantile double precision, ms double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT h.endpoint, latency_above(h.histogram), q, latency_value(latency_bucket(h.histogram, q))
    FROM (SELECT b.endpoint, sum(b.histogram) AS histogram
          FROM histograms_between(since, until, only_service, only_endpoint) b GROUP BY b.endpoint) h
    CROSS JOIN unnest(quantiles) q ORDER BY h.endpoint, q;
END;

-- The endpoints with the highest 95th percentile. ms throughout; mean and max are exact.
CREATE OR REPLACE FUNCTION slowest_endpoints(since timestamptz, until timestamptz, most integer DEFAULT 20,
                                             only_service text DEFAULT NULL)
RETURNS TABLE (endpoint text, requests bigint, slow bigint, p50 double precision, p95 double precision, p99 double precision,
               mean double precision, max double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH slowest AS MATERIALIZED (
        SELECT h.endpoint, h.histogram, latency_bucket(h.histogram, 0.95) AS bucket
        FROM (SELECT b.endpoint, sum(b.histogram) AS histogram
              FROM histograms_between(since, until, only_service) b GROUP BY b.endpoint) h
        ORDER BY bucket DESC, h.endpoint LIMIT most),
    sums AS (
        SELECT e.key AS endpoint, sum((e.value ->> 'n')::bigint)::bigint AS n, sum((e.value ->> 'slow')::bigint)::bigint AS slow,
               sum((e.value ->> 'sum')::double precision) AS sum, max((e.value ->> 'max')::double precision) AS max
        FROM rollups_between(since, until) w CROSS JOIN jsonb_each(w.summary -> 'latency') e
        WHERE (only_service IS NULL OR w.service = only_service) AND e.key = ANY (ARRAY(SELECT s.endpoint FROM slowest s))
        GROUP BY e.key)
    SELECT s.endpoint, t.n, t.slow, latency_value(latency_bucket(s.histogram, 0.5)), latency_value(s.bucket),
           latency_value(latency_bucket(s.histogram, 0.99)), t.sum / t.n, t.max
    FROM slowest s JOIN sums t ON t.endpoint = s.endpoint ORDER BY s.bucket DESC, s.endpoint;
END;

-- The slowest requests. Each window keeps its hundred slowest, so the first hundred are exact.
CREATE FUNCTION performance_issues(since timestamptz, until timestamptz, only_service text DEFAULT NULL,
                                   most integer DEFAULT 100)
RETURNS TABLE (service text, endpoint text, response_time double precision, at timestamptz, trace_id text)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT w.service, i.endpoint, i.response_time, i.timestamp, i.trace_id
    FROM rollups_between(since, until) w CROSS JOIN jsonb_to_recordset(w.performance_issues) AS i (
         endpoint text, response_time double precision, timestamp timestamptz, trace_id text)
    WHERE only_service IS NULL OR w.service = only_service
    ORDER BY i.response_time DESC, i.timestamp, w.service, i.trace_id LIMIT most;
END;

-- Events and requests by service and step of time. Steps of whole days read day rows, of whole hours hour rows; shorter ones
-- read minute rows, which a retention keeps for a week. Steps in which a service logged nothing have no row.
CREATE OR REPLACE FUNCTION request_rate(since timestamptz, until timestamptz, step interval DEFAULT '1 minute',
                                        only_service text DEFAULT NULL)
RETURNS TABLE (at timestamptz, service text, logs bigint, errors bigint, requests bigint, failed bigint, slow bigint,
               requests_per_second double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH rows AS (
        SELECT a.timestamp, a.service, a.totals FROM rollups_between(since, until) a
        WHERE extract(epoch FROM step)::bigint % 86400 = 0
        UNION ALL
        SELECT a.timestamp, a.service, a.totals FROM analytics_between(since, until) a
        WHERE extract(epoch FROM step)::bigint % 86400 <> 0 AND extract(epoch FROM step)::bigint % 3600 = 0
        UNION ALL
        SELECT a.timestamp, a.service, a.totals FROM log_analytics a
        WHERE extract(epoch FROM step)::bigint % 3600 <> 0
          AND a.window_seconds < 3600 AND a.timestamp >= since AND a.timestamp < until)
    SELECT date_bin(step, r.timestamp, '2000-01-01 00:00:00+00') AS bin, r.service,
           sum((r.totals ->> 'total_logs')::bigint)::bigint, sum((r.totals ->> 'total_errors')::bigint)::bigint,
           sum((r.totals ->> 'requests')::bigint)::bigint, sum((r.totals ->> 'failed')::bigint)::bigint,
           sum((r.totals ->> 'slow_requests')::bigint)::bigint,
           sum((r.totals ->> 'requests')::bigint)::double precision / extract(epoch FROM step)::double precision
    FROM rows r WHERE only_service IS NULL OR r.service = only_service
    GROUP BY bin, r.service ORDER BY bin, r.service;
END;

-- About how many distinct values there were: what is 'users', 'tenants' or 'patterns'; standard error 1.6 %.
CREATE OR REPLACE FUNCTION unique_count(what text, since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH sketches AS (
        SELECT CASE what WHEN 'users' THEN w.packed_users WHEN 'tenants' THEN w.packed_tenants END AS packed, w.summary
        FROM rollups_between(since, until) w WHERE only_service IS NULL OR w.service = only_service)
    SELECT round(hll_estimate(merge_registers(ARRAY[
        (SELECT unpack_registers(bit_or(s.packed)) FROM sketches s WHERE s.packed IS NOT NULL),
        (SELECT merge_registers(array_agg(s.summary ->> what) FILTER (WHERE jsonb_typeof(s.summary -> what) = 'string'))
         FROM sketches s WHERE s.packed IS NULL)])))::bigint;
END;

CREATE FUNCTION unique_users(since timestamptz, until timestamptz, only_service text DEFAULT NULL) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT unique_count('users', since, until, only_service);
END;

CREATE FUNCTION active_tenants(since timestamptz, until timestamptz, only_service text DEFAULT NULL) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT unique_count('tenants', since, until, only_service);
END;

-- Apdex by service: requests that took satisfied_ms at most satisfy, those up to four times that are tolerated and count
-- half. The limits are taken at the nearest border of a bucket, within 1 %.
CREATE FUNCTION apdex(since timestamptz, until timestamptz, satisfied_ms double precision DEFAULT 500,
                      only_service text DEFAULT NULL, only_endpoint text DEFAULT NULL)
RETURNS TABLE (service text, requests bigint, satisfied bigint, tolerating bigint, frustrated bigint, apdex double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH parts AS (
        SELECT o.service, o.histogram FROM overall_between(since, until, only_service) o WHERE only_endpoint IS NULL
        UNION ALL
        SELECT h.service, h.histogram FROM histograms_between(since, until, only_service, only_endpoint) h
        WHERE only_endpoint IS NOT NULL),
    counts AS (
        SELECT s.service, latency_above(s.histogram) AS requests,
               latency_above(s.histogram, round(ln(satisfied_ms) / ln(1.01::double precision / 0.99))::integer) AS above,
               latency_above(s.histogram, round(ln(4 * satisfied_ms) / ln(1.01::double precision / 0.99))::integer) AS frustrated
        FROM (SELECT p.service, sum(p.histogram) AS histogram FROM parts p GROUP BY p.service) s)
    SELECT c.service, c.requests, c.requests - c.above, c.above - c.frustrated, c.frustrated,
           (c.requests - c.above + (c.above - c.frustrated) / 2.0::double precision) / c.requests
    FROM counts c WHERE c.requests > 0 ORDER BY c.service;
END;

-- The figures of a range in one row. uptime is the share of the range, up to now, in which a process of a host was alive,
-- on average over the hosts, each from its first heartbeat on.
CREATE FUNCTION kpis(since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS TABLE (uptime double precision, logs bigint, errors bigint, error_rate double precision, requests bigint,
               failed bigint, failure_rate double precision, requests_per_second double precision, p50 double precision,
               p95 double precision, p99 double precision, users bigint, tenants bigint, requests_today bigint)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH rates AS (
        SELECT coalesce(sum(r.logs), 0)::bigint AS logs, coalesce(sum(r.errors), 0)::bigint AS errors,
               coalesce(sum(r.requests), 0)::bigint AS requests, coalesce(sum(r.failed), 0)::bigint AS failed
        FROM error_rate(since, until, only_service) r),
    times AS MATERIALIZED (
        SELECT sum(o.histogram) AS histogram FROM overall_between(since, until, only_service) o),
    lives AS (
        SELECT i.host, tstzrange(greatest(i.started_at, since), least(i.seen_at, until, now())) AS life
        FROM log_instances i WHERE i.started_at < least(until, now()) AND i.seen_at >= i.started_at AND i.seen_at > since),
    hosts AS (
        SELECT l.host, range_agg(l.life) AS alive,
               greatest(since, (SELECT min(i.started_at) FROM log_instances i WHERE i.host = l.host)) AS known
        FROM lives l GROUP BY l.host),
    uptimes AS (
        SELECT least(1, sum(extract(epoch FROM upper(r) - lower(r)))
                        / nullif(extract(epoch FROM least(until, now()) - h.known), 0)) AS uptime
        FROM hosts h CROSS JOIN unnest(h.alive) r GROUP BY h.host, h.known)
    SELECT (SELECT avg(u.uptime)::double precision FROM uptimes u), r.logs, r.errors,
           r.errors / nullif(r.logs, 0)::double precision, r.requests, r.failed,
           r.failed / nullif(r.requests, 0)::double precision,
           r.requests / nullif(extract(epoch FROM until - since), 0)::double precision,
           latency_value(latency_bucket(t.histogram, 0.5)), latency_value(latency_bucket(t.histogram, 0.95)),
           latency_value(latency_bucket(t.histogram, 0.99)),
           unique_users(since, until, only_service), active_tenants(since, until, only_service),
           (SELECT coalesce(sum(d.requests), 0)::bigint
            FROM error_rate(date_trunc('day', until - interval '1 microsecond', 'UTC'), until, only_service) d)
    FROM rates r CROSS JOIN times t;
END;

-- What got worse from one range to another. Each finding has a figure before and after, and how many standard deviations
-- they are apart if both ranges were alike, z; findings below 3 are left out, and so are those within the error of the
-- figures.
CREATE FUNCTION compare(before_since timestamptz, before_until timestamptz, after_since timestamptz, after_until timestamptz,
                        only_service text DEFAULT NULL, most integer DEFAULT 100)
RETURNS TABLE (finding text, service text, subject text, before double precision, after double precision,
               z double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH hours AS (
        SELECT extract(epoch FROM before_until - before_since)::double precision / 3600 AS before,
               extract(epoch FROM after_until - after_since)::double precision / 3600 AS after),
    -- Counts of Poisson processes: of all n, a binomial number falls into the second range.
    patterns AS (
        SELECT coalesce(a.pattern, b.pattern) AS pattern, coalesce(a.services, b.services) AS services,
               coalesce(b.count, 0) AS before, coalesce(a.count, 0) AS after
        FROM top_errors(after_since, after_until, only_service, NULL) a
        FULL JOIN top_errors(before_since, before_until, only_service, NULL) b ON b.pattern_id = a.pattern_id),
    services AS (
        SELECT r.service, coalesce(sum(r.requests) FILTER (WHERE NOT r.second), 0) AS requests_before,
               coalesce(sum(r.requests) FILTER (WHERE r.second), 0) AS requests_after,
               coalesce(sum(r.failed) FILTER (WHERE NOT r.second), 0) AS failed_before,
               coalesce(sum(r.failed) FILTER (WHERE r.second), 0) AS failed_after,
               coalesce(sum(r.logs) FILTER (WHERE NOT r.second), 0) AS logs_before,
               coalesce(sum(r.logs) FILTER (WHERE r.second), 0) AS logs_after
        FROM (SELECT false AS second, b.* FROM error_rate(before_since, before_until, only_service) b
              UNION ALL SELECT true, a.* FROM error_rate(after_since, after_until, only_service) a) r
        GROUP BY r.service),
    histograms_before AS MATERIALIZED (
        SELECT h.service, h.endpoint, sum(h.histogram) AS histogram
        FROM histograms_between(before_since, before_until, only_service) h GROUP BY h.service, h.endpoint),
    histograms_after AS MATERIALIZED (
        SELECT h.service, h.endpoint, sum(h.histogram) AS histogram
        FROM histograms_between(after_since, after_until, only_service) h GROUP BY h.service, h.endpoint),
    latencies AS MATERIALIZED (
        SELECT a.service, a.endpoint, latency_bucket(b.histogram, 0.95) AS p95, a.histogram,
               latency_above(b.histogram) AS n_before, latency_above(a.histogram) AS n_after, b.histogram AS histogram_before
        FROM histograms_after a JOIN histograms_before b
          ON b.endpoint = a.endpoint AND b.service IS NOT DISTINCT FROM a.service),
    tails AS (
        SELECT l.*, latency_above(l.histogram_before, l.p95) / l.n_before::double precision AS share_before,
               latency_above(l.histogram, l.p95) / l.n_after::double precision AS share_after
        FROM latencies l WHERE l.n_before >= 20 AND l.n_after >= 20),
    findings AS (
        SELECT 'new pattern' AS finding, CASE cardinality(p.services) WHEN 1 THEN p.services[1] END AS service,
               p.pattern AS subject, 0::double precision AS before, p.after / h.after AS after,
               sqrt(p.after * h.before / h.after) AS z, 0 AS least
        FROM patterns p CROSS JOIN hours h WHERE p.before = 0
        UNION ALL
        SELECT 'errors per hour', CASE cardinality(p.services) WHEN 1 THEN p.services[1] END, p.pattern,
               p.before / h.before, p.after / h.after,
               (p.after - (p.before + p.after) * h.after / (h.before + h.after))
                   / sqrt((p.before + p.after) * h.after * h.before / (h.before + h.after) ^ 2), 3
        FROM patterns p CROSS JOIN hours h WHERE p.before > 0 AND p.after > 0
        UNION ALL
        SELECT 'failure rate', s.service, NULL, s.failed_before / s.requests_before::double precision,
               s.failed_after / s.requests_after::double precision,
               (s.failed_after / s.requests_after::double precision - s.failed_before / s.requests_before::double precision)
                   / sqrt(nullif(greatest(0, (s.failed_before + s.failed_after) / (s.requests_before + s.requests_after)::double precision
                                 * (1 - (s.failed_before + s.failed_after) / (s.requests_before + s.requests_after)::double precision))
                                 * (1 / s.requests_before::double precision + 1 / s.requests_after::double precision), 0)), 3
        FROM services s WHERE s.requests_before > 0 AND s.requests_after > 0
        UNION ALL
        SELECT 'logs per hour fell', s.service, NULL, s.logs_before / h.before, s.logs_after / h.after,
               (s.logs_before - (s.logs_before + s.logs_after) * h.before / (h.before + h.after))
                   / sqrt((s.logs_before + s.logs_after) * h.after * h.before / (h.before + h.after) ^ 2), 3
        FROM services s CROSS JOIN hours h
        WHERE s.logs_after / h.after < 0.5 * s.logs_before / h.before
        UNION ALL
        -- As many requests should be above the old 95th percentile as were.
        SELECT 'p95 in ms', t.service, t.endpoint, latency_value(t.p95), latency_value(latency_bucket(t.histogram, 0.95)),
               (t.share_after - t.share_before)
                   / sqrt(0.05 * 0.95 * (1 / t.n_before::double precision + 1 / t.n_after::double precision)), 3
        FROM tails t WHERE latency_bucket(t.histogram, 0.95) > t.p95 + 1)
    SELECT f.finding, f.service, f.subject, f.before, f.after, f.z
    FROM findings f WHERE f.z >= f.least ORDER BY f.z DESC, f.finding, f.service, f.subject LIMIT most;
END;
