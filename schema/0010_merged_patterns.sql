-- What dashboards ask of patterns, with aliases resolved.

-- The id of the pattern that stands for this one, most often itself.
CREATE FUNCTION resolve_pattern(id bigint) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce((SELECT a.to_id FROM log_pattern_aliases a WHERE a.from_id = id), id);
END;

-- The ids under which rows have what the pattern stands for: log_events WHERE pattern_id = ANY (pattern_cases(id)).
CREATE FUNCTION pattern_cases(id bigint) RETURNS bigint[]
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT ARRAY(SELECT id
                 UNION SELECT a.from_id FROM log_pattern_aliases a WHERE a.to_id = id
                 ORDER BY 1);
END;

-- Patterns as they are shown: those that aliases stand for, and the rest as they are. New are those whose first_seen is.
CREATE VIEW merged_patterns AS
SELECT coalesce(a.to_id, p.pattern_id) AS pattern_id, coalesce(max(a.pattern), max(p.pattern)) AS pattern,
       count(*) AS cases, min(p.first_seen) AS first_seen,
       (array_agg(p.sample ORDER BY p.first_seen, p.pattern_id))[1] AS sample
FROM log_patterns p LEFT JOIN log_pattern_aliases a ON a.from_id = p.pattern_id
GROUP BY coalesce(a.to_id, p.pattern_id);

-- Errors by pattern since ever: what is rolled up, and what is not yet.
CREATE OR REPLACE VIEW error_totals AS
SELECT coalesce(a.to_id, t.pattern_id) AS pattern_id, coalesce(max(a.pattern), max(p.pattern)) AS pattern,
       (array_agg(t.level ORDER BY t.last_seen DESC, t.level))[1] AS level, sum(t.total)::bigint AS total,
       min(p.first_seen) AS first_seen, max(t.last_seen) AS last_seen,
       (array_agg(p.sample ORDER BY p.first_seen, p.pattern_id))[1] AS sample
FROM (SELECT pattern_id, level, total, last_seen FROM log_pattern_totals
      UNION ALL
      SELECT e.pattern_id, e.level, e.count, e.last
      FROM log_analytics a CROSS JOIN jsonb_to_recordset(a.error_patterns) AS e (
           pattern_id bigint, count bigint, level text, last timestamptz)
      WHERE NOT a.rolled) t
LEFT JOIN log_patterns p USING (pattern_id)
LEFT JOIN log_pattern_aliases a ON a.from_id = t.pattern_id
GROUP BY coalesce(a.to_id, t.pattern_id);
