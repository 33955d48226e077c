-- How often each pattern occurred, apart from what else error_patterns says of them: questions that only count read a tenth of it.
-- Rows that are in blocks have both; what was inserted just now has error_patterns alone, and costs its writer nothing.
CREATE FUNCTION pattern_numbers(patterns jsonb, key text) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(jsonb_path_query_array(patterns, ('$[*].' || key)::jsonpath)::text, '[] ', '{}')::bigint[];

ALTER TABLE log_analytics
    ADD COLUMN pattern_ids    bigint[] GENERATED ALWAYS AS (
        CASE WHEN in_blocks THEN pattern_numbers(error_patterns, 'pattern_id') END) STORED,
    ADD COLUMN pattern_counts bigint[] GENERATED ALWAYS AS (
        CASE WHEN in_blocks THEN pattern_numbers(error_patterns, 'count') END) STORED;

-- As before; made anew for the new columns.
CREATE OR REPLACE FUNCTION analytics_between(since timestamptz, until timestamptz) RETURNS SETOF log_analytics
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

CREATE OR REPLACE FUNCTION rollups_between(since timestamptz, until timestamptz) RETURNS SETOF log_analytics
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT a.* FROM log_analytics a
    WHERE a.window_seconds = 86400
      AND a.timestamp >= date_trunc('day', since - interval '1 microsecond', 'UTC') + interval '1 day'
      AND a.timestamp < date_trunc('day', until, 'UTC')
    UNION ALL
    SELECT a.* FROM log_analytics a
    WHERE a.window_seconds = 3600
      AND a.timestamp >= date_trunc('hour', since - interval '1 microsecond', 'UTC') + interval '1 hour'
      AND a.timestamp < least(date_trunc('hour', until, 'UTC'),
                              date_trunc('day', since - interval '1 microsecond', 'UTC') + interval '1 day')
    UNION ALL
    SELECT a.* FROM log_analytics a
    WHERE a.window_seconds = 3600 AND a.timestamp < date_trunc('hour', until, 'UTC')
      AND a.timestamp >= greatest(date_trunc('day', until, 'UTC'),
                                  date_trunc('day', since - interval '1 microsecond', 'UTC') + interval '1 day')
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

CREATE OR REPLACE FUNCTION unblocked_between(since timestamptz, until timestamptz) RETURNS SETOF log_analytics
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

-- How often each pattern occurred in a range, by its own id, as rows have it; there may be several rows of one.
CREATE FUNCTION pattern_counts_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS TABLE (pattern_id bigint, service text, count bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT unnest(w.pattern_ids), w.service, unnest(w.pattern_counts)
    FROM rollups_between(since, until) w
    WHERE w.pattern_ids IS NOT NULL AND (only_service IS NULL OR w.service = only_service)
    UNION ALL
    SELECT p.pattern_id, w.service, p.count
    FROM rollups_between(since, until) w CROSS JOIN jsonb_to_recordset(w.error_patterns) AS p (pattern_id bigint, count bigint)
    WHERE w.pattern_ids IS NULL AND (only_service IS NULL OR w.service = only_service);
END;

-- As before, from these counts. A pattern's text is that of the pattern it was merged into, or its own.
CREATE OR REPLACE FUNCTION errors_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS TABLE (pattern_id bigint, pattern text, service text, count bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT e.id, coalesce(e.pattern, p.pattern), e.service, e.count
    FROM (SELECT coalesce(a.to_id, c.pattern_id) AS id, max(a.pattern) AS pattern, c.service, sum(c.count)::bigint AS count
          FROM (SELECT b.pattern_id, b.service, sum(b.count) AS count
                FROM pattern_counts_between(since, until, only_service) b GROUP BY b.pattern_id, b.service) c
          LEFT JOIN log_pattern_aliases a ON a.from_id = c.pattern_id
          GROUP BY coalesce(a.to_id, c.pattern_id), c.service) e
    LEFT JOIN log_patterns p ON p.pattern_id = e.id;
END;

-- As before, from these counts.
CREATE OR REPLACE FUNCTION top_errors(since timestamptz, until timestamptz, only_service text DEFAULT NULL,
                                      most integer DEFAULT 20)
RETURNS TABLE (pattern_id bigint, pattern text, count bigint, level text, services text[], first timestamptz,
               last timestamptz, sample text)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off SET work_mem = '64MB'
BEGIN ATOMIC
    WITH counts AS MATERIALIZED (
        SELECT coalesce(a.to_id, e.pattern_id) AS id, e.pattern_id, a.pattern, e.service, e.count
        FROM (SELECT p.pattern_id, p.service, sum(p.count) AS count
              FROM pattern_counts_between(since, until, only_service) p GROUP BY p.pattern_id, p.service) e
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
