-- As before, but in ranges of half a day and more only those endpoints are looked at closely whose classes say that they became slower.
CREATE OR REPLACE FUNCTION compare(before_since timestamptz, before_until timestamptz, after_since timestamptz,
                                   after_until timestamptz, only_service text DEFAULT NULL, most integer DEFAULT 100)
RETURNS TABLE (finding text, service text, subject text, before double precision, after double precision,
               z double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off SET enable_sort = off SET work_mem = '128MB'
BEGIN ATOMIC
    WITH hours AS (
        SELECT d.before, d.after, least(d.before, d.after) >= 12 AS long
        FROM (SELECT extract(epoch FROM before_until - before_since)::double precision / 3600 AS before,
                     extract(epoch FROM after_until - after_since)::double precision / 3600 AS after) d),
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
    -- Endpoints of which more requests than before are beyond the class of their old 95th percentile, in whole hours. In shorter
    -- ranges, and where blocks do not tell all endpoints apart, any may have become slower.
    classes_before AS MATERIALIZED (
        SELECT c.* FROM hours h CROSS JOIN classes_between(
            block_start(before_since, 3600), block_start(before_until, 3600), only_service) c WHERE h.long),
    classes_after AS MATERIALIZED (
        SELECT c.* FROM hours h CROSS JOIN classes_between(
            block_start(after_since, 3600), block_start(after_until, 3600), only_service) c WHERE h.long),
    suspects AS MATERIALIZED (
        SELECT only_service AS service, NULL::text[] AS endpoints FROM hours h WHERE NOT h.long
        UNION ALL
        SELECT s.service, CASE WHEN bool_and(s.endpoint IS NOT NULL) THEN array_agg(s.endpoint) END
        FROM (SELECT a.service, a.endpoint
              FROM classes_after a JOIN classes_before b
                ON b.endpoint = a.endpoint AND b.service IS NOT DISTINCT FROM a.service
              CROSS JOIN latency_buckets(b.classes, '{0.95}') x
              CROSS JOIN LATERAL (
                    SELECT x.above[1] / x.requests::double precision AS share_before, x.requests::double precision AS n_before,
                           latency_above(a.classes, x.buckets[1])::double precision AS above_after,
                           latency_above(a.classes)::double precision AS n_after OFFSET 0) n
              WHERE n.n_before >= 20 AND n.n_after >= 20 AND n.above_after / n.n_after - n.share_before
                    > 3 * sqrt((x.above[1] + n.above_after) / (n.n_before + n.n_after)
                               * (1 - (x.above[1] + n.above_after) / (n.n_before + n.n_after)) * (1 / n.n_before + 1 / n.n_after))
              UNION ALL
              SELECT b.service, NULL FROM classes_before b WHERE b.endpoint IS NULL
              UNION ALL
              SELECT a.service, NULL FROM classes_after a WHERE a.endpoint IS NULL) s
        GROUP BY s.service),
    old AS MATERIALIZED (
        SELECT e.service, e.endpoint, b.requests, b.buckets[1] AS p95, b.above[1] AS above
        FROM hours h CROSS JOIN suspects s CROSS JOIN LATERAL histograms_between(before_since, before_until, s.service) e
        CROSS JOIN latency_buckets(e.histogram, '{0.95}') b
        WHERE (s.endpoints IS NULL OR e.endpoint = ANY (s.endpoints)) AND (NOT h.long OR e.service IS NOT DISTINCT FROM s.service)
          AND b.requests >= 20),
    -- As many requests should be above the old 95th percentile as were. The new one is looked for only where there are more.
    slower AS MATERIALIZED (
        SELECT o.service, o.endpoint, o.p95 AS p95_before, z.z,
               CASE WHEN z.z >= 3 THEN latency_bucket(e.histogram, 0.95) END AS p95_after
        FROM hours h CROSS JOIN suspects s CROSS JOIN LATERAL histograms_between(after_since, after_until, s.service) e
        JOIN old o ON o.endpoint = e.endpoint AND o.service IS NOT DISTINCT FROM e.service
        CROSS JOIN LATERAL (
              SELECT latency_above(e.histogram) AS requests, latency_above(e.histogram, o.p95) AS above OFFSET 0) n
        CROSS JOIN LATERAL (
              SELECT (n.above / n.requests::double precision - o.above / o.requests::double precision)
                     / sqrt(0.05 * 0.95 * (1 / o.requests::double precision + 1 / n.requests::double precision)) AS z OFFSET 0) z
        WHERE (NOT h.long OR e.service IS NOT DISTINCT FROM s.service) AND n.requests >= 20),
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
