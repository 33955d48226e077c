-- Questions about response times, from cumulative histograms. What they answer stays the same.

-- As before, but for what was inserted just now: it is in no block and not packed, and becomes one histogram of each endpoint.
CREATE OR REPLACE FUNCTION histograms_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL,
                                              only_endpoint text DEFAULT NULL)
RETURNS TABLE (service text, endpoint text, histogram numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT h.service, h.endpoint, h.histogram
    FROM (SELECT r.service, unnest(r.endpoints) AS endpoint, unnest(r.histograms) AS histogram
          FROM (SELECT b.service, b.window_seconds, b.endpoints, b.histograms FROM blocks_between(since, until) b
                UNION ALL
                SELECT w.service, w.window_seconds, w.endpoints, w.histograms FROM unblocked_between(since, until) w
                WHERE w.endpoints IS NOT NULL) r
          WHERE (only_service IS NULL OR r.service = only_service) AND (only_endpoint IS NULL OR only_endpoint = ANY (r.endpoints))
          ORDER BY r.service, r.window_seconds DESC) h
    WHERE only_endpoint IS NULL OR h.endpoint = only_endpoint
    UNION ALL
    SELECT c.service, c.key, cumulate(sum(c.counts))
    FROM (SELECT w.service, e.key, (sum(b.c) || 'e' || bucket_place(b.k))::numeric AS counts
          FROM unblocked_between(since, until) w CROSS JOIN jsonb_each(w.summary -> 'latency') e CROSS JOIN unnest(
               string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
          WHERE w.endpoints IS NULL
            AND (only_service IS NULL OR w.service = only_service) AND (only_endpoint IS NULL OR e.key = only_endpoint)
          GROUP BY w.service, e.key, b.k) c
    GROUP BY c.service, c.key;
END;

-- The histograms of a range without telling endpoints apart.
CREATE OR REPLACE FUNCTION overall_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS TABLE (service text, histogram numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT w.service, w.packed_overall FROM rollups_between(since, until) w
    WHERE w.packed_overall IS NOT NULL AND (only_service IS NULL OR w.service = only_service)
    UNION ALL
    SELECT c.service, cumulate(sum(c.counts))
    FROM (SELECT w.service, (sum(b.c) || 'e' || bucket_place(b.k))::numeric AS counts
          FROM rollups_between(since, until) w CROSS JOIN jsonb_each(w.summary -> 'latency') e CROSS JOIN unnest(
               string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
          WHERE w.packed_overall IS NULL AND (only_service IS NULL OR w.service = only_service)
          GROUP BY w.service, b.k) c
    GROUP BY c.service;
END;

-- As before, without looking for what is not reported.
CREATE OR REPLACE FUNCTION compare(before_since timestamptz, before_until timestamptz, after_since timestamptz,
                                   after_until timestamptz, only_service text DEFAULT NULL, most integer DEFAULT 100)
RETURNS TABLE (finding text, service text, subject text, before double precision, after double precision,
               z double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off SET enable_sort = off SET work_mem = '128MB'
BEGIN ATOMIC
    WITH hours AS (
        SELECT extract(epoch FROM before_until - before_since)::double precision / 3600 AS before,
               extract(epoch FROM after_until - after_since)::double precision / 3600 AS after),
    -- Counts of Poisson processes: of all n, a binomial number falls into the second range.
    patterns AS (
        SELECT max(e.pattern) AS pattern, array_agg(DISTINCT e.service) FILTER (WHERE e.second) AS services,
               coalesce(sum(e.count) FILTER (WHERE NOT e.second), 0) AS before,
               coalesce(sum(e.count) FILTER (WHERE e.second), 0) AS after
        FROM (SELECT false AS second, b.* FROM errors_between(before_since, before_until, only_service) b
              UNION ALL SELECT true, a.* FROM errors_between(after_since, after_until, only_service) a) e
        GROUP BY e.pattern_id),
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
        SELECT a.service, a.endpoint, a.histogram, latency_above(a.histogram) AS n_after, x.requests AS n_before,
               x.buckets[1] AS p95_before, x.above[1] AS above_before
        FROM histograms_after a JOIN histograms_before b
          ON b.endpoint = a.endpoint AND b.service IS NOT DISTINCT FROM a.service
        CROSS JOIN latency_buckets(b.histogram, '{0.95}') x),
    -- As many requests should be above the old 95th percentile as were. The new one is looked for only where there are more.
    tails AS MATERIALIZED (
        SELECT l.*, (latency_above(l.histogram, l.p95_before) / l.n_after::double precision
                     - l.above_before / l.n_before::double precision)
                   / sqrt(0.05 * 0.95 * (1 / l.n_before::double precision + 1 / l.n_after::double precision)) AS z
        FROM latencies l WHERE l.n_before >= 20 AND l.n_after >= 20),
    slower AS MATERIALIZED (
        SELECT t.*, latency_bucket(t.histogram, 0.95) AS p95_after FROM tails t WHERE t.z >= 3),
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
        SELECT 'p95 in ms', s.service, s.endpoint, latency_value(s.p95_before), latency_value(s.p95_after), s.z, 3
        FROM slower s WHERE s.p95_after > s.p95_before + 1)
    SELECT f.finding, f.service, f.subject, f.before, f.after, f.z
    FROM findings f WHERE f.z >= f.least ORDER BY f.z DESC, f.finding, f.service, f.subject LIMIT most;
END;
