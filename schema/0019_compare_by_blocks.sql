-- Questions about errors that need no more than counts.

-- Errors by pattern and service in a range, with aliases resolved: what counts need, at a fifth of what top_errors costs.
CREATE FUNCTION errors_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS TABLE (pattern_id bigint, pattern text, service text, count bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(a.to_id, e.pattern_id) AS id, coalesce(max(a.pattern), max(e.pattern)), e.service, sum(e.count)::bigint
    FROM (SELECT p.pattern_id, max(p.pattern) AS pattern, w.service, sum(p.count) AS count
          FROM rollups_between(since, until) w CROSS JOIN jsonb_to_recordset(w.error_patterns) AS p (
               pattern_id bigint, pattern text, count bigint)
          WHERE only_service IS NULL OR w.service = only_service
          GROUP BY p.pattern_id, w.service) e
    LEFT JOIN log_pattern_aliases a ON a.from_id = e.pattern_id
    GROUP BY id, e.service;
END;

-- Different patterns of errors: exact as long as no row left one out, else at least the number that are listed.
CREATE OR REPLACE FUNCTION unique_error_patterns(since timestamptz, until timestamptz, only_service text DEFAULT NULL) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT CASE WHEN r.unlisted = 0 THEN l.listed
           ELSE greatest(l.listed, unique_count('patterns', since, until, only_service)) END
    FROM (SELECT count(DISTINCT e.pattern_id) AS listed FROM errors_between(since, until, only_service) e) l
    CROSS JOIN (SELECT coalesce(sum((w.totals ->> 'rest_errors')::bigint), 0) AS unlisted
                FROM rollups_between(since, until) w WHERE only_service IS NULL OR w.service = only_service) r;
END;

-- What got worse from one range to another. Each finding has a figure before and after, and how many standard deviations
-- they are apart if both ranges were alike, z; findings below 3 are left out, and so are those within the error of the
-- figures.
CREATE OR REPLACE FUNCTION compare(before_since timestamptz, before_until timestamptz, after_since timestamptz, after_until timestamptz,
                        only_service text DEFAULT NULL, most integer DEFAULT 100)
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
        SELECT a.service, a.endpoint, a.histogram, x.requests AS n_before, y.requests AS n_after, x.buckets[1] AS p95_before,
               y.buckets[1] AS p95_after, x.above[1] AS above_before
        FROM histograms_after a JOIN histograms_before b
          ON b.endpoint = a.endpoint AND b.service IS NOT DISTINCT FROM a.service
        CROSS JOIN latency_buckets(b.histogram, '{0.95}') x CROSS JOIN latency_buckets(a.histogram, '{0.95}') y),
    tails AS (
        SELECT l.*, l.above_before / l.n_before::double precision AS share_before,
               latency_above(l.histogram, l.p95_before) / l.n_after::double precision AS share_after
        FROM latencies l WHERE l.n_before >= 20 AND l.n_after >= 20 AND l.p95_after > l.p95_before + 1),
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
        SELECT 'p95 in ms', t.service, t.endpoint, latency_value(t.p95_before), latency_value(t.p95_after),
               (t.share_after - t.share_before)
                   / sqrt(0.05 * 0.95 * (1 / t.n_before::double precision + 1 / t.n_after::double precision)), 3
        FROM tails t)
    SELECT f.finding, f.service, f.subject, f.before, f.after, f.z
    FROM findings f WHERE f.z >= f.least ORDER BY f.z DESC, f.finding, f.service, f.subject LIMIT most;
END;
