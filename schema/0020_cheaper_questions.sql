-- Questions about endpoints and errors for less. What they answer stays the same.

-- As before, but in the order of services, and of each the widest blocks first: then the two hundred sums of a service
-- stay in the processor's cache while they are added to, and seldom grow. A row is sorted with references to its lists,
-- before these are read.
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
    SELECT w.service, e.key, (sum(b.c) || 'e' || bucket_place(b.k))::numeric
    FROM unblocked_between(since, until) w CROSS JOIN jsonb_each(w.summary -> 'latency') e
    CROSS JOIN unnest(string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
    WHERE w.endpoints IS NULL
      AND (only_service IS NULL OR w.service = only_service) AND (only_endpoint IS NULL OR e.key = only_endpoint)
    GROUP BY w.service, e.key, b.k;
END;

-- As before, in two steps: counts of all patterns first, then the rest of those only that are listed. A pattern's level
-- and sample are those of the row with its latest event, of equals the first in the alphabet. work_mem holds what thirty
-- thousand rows say of patterns.
CREATE OR REPLACE FUNCTION top_errors(since timestamptz, until timestamptz, only_service text DEFAULT NULL,
                                      most integer DEFAULT 20)
RETURNS TABLE (pattern_id bigint, pattern text, count bigint, level text, services text[], first timestamptz,
               last timestamptz, sample text)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off SET work_mem = '64MB'
BEGIN ATOMIC
    WITH counts AS MATERIALIZED (
        SELECT coalesce(a.to_id, e.pattern_id) AS id, e.pattern_id, a.pattern, e.service, e.count
        FROM (SELECT p.pattern_id, w.service, sum(p.count) AS count
              FROM rollups_between(since, until) w CROSS JOIN jsonb_to_recordset(w.error_patterns) AS p (
                   pattern_id bigint, count bigint)
              WHERE only_service IS NULL OR w.service = only_service
              GROUP BY p.pattern_id, w.service) e
        LEFT JOIN log_pattern_aliases a ON a.from_id = e.pattern_id),
    top AS MATERIALIZED (
        SELECT c.id, max(c.pattern) AS pattern, sum(c.count)::bigint AS total, array_agg(DISTINCT c.service) AS services
        FROM counts c GROUP BY c.id ORDER BY total DESC, c.id LIMIT most),
    listed AS MATERIALIZED (
        SELECT DISTINCT c.pattern_id, c.id FROM counts c JOIN top t ON t.id = c.id),
    details AS MATERIALIZED (
        SELECT l.id, e.value ->> 'pattern' AS pattern, e.value ->> 'level' AS level, (e.value ->> 'first')::timestamptz AS first,
               (e.value ->> 'last')::timestamptz AS last, e.value ->> 'sample' AS sample
        FROM rollups_between(since, until) w CROSS JOIN jsonb_array_elements(w.error_patterns) e
        JOIN listed l ON l.pattern_id = (e.value ->> 'pattern_id')::bigint
        WHERE only_service IS NULL OR w.service = only_service),
    times AS (
        SELECT d.id, max(d.pattern) AS pattern, min(d.first) AS first, max(d.last) AS last FROM details d GROUP BY d.id),
    latest AS (
        SELECT d.id, min(d.level) AS level, min(d.sample) AS sample
        FROM details d JOIN times t ON t.id = d.id AND t.last = d.last GROUP BY d.id)
    SELECT t.id, coalesce(t.pattern, i.pattern), t.total, l.level, t.services, i.first, i.last, l.sample
    FROM top t JOIN times i ON i.id = t.id JOIN latest l ON l.id = t.id ORDER BY t.total DESC, t.id;
END;
