-- Compaction of log_analytics. Shares are disjoint and everything in them merges, so rows may be replaced by their merge
-- at any time, in any portions. Each statement below deletes rows and inserts the merge of exactly the rows it deleted;
-- shares that arrive meanwhile are not in its snapshot and wait for the next one. Nothing is ever recomputed.

-- Waits for nobody: true if this transaction is the only compactor now, until its end.
CREATE FUNCTION become_compactor() RETURNS boolean
LANGUAGE sql VOLATILE SET search_path FROM CURRENT
AS $$ SELECT pg_try_advisory_xact_lock(hashtext('logflume compaction'), 'log_analytics'::regclass::oid::integer) $$;

-- Merges the columns of several rows into those of one that lists at most so many patterns. rest_errors counts the errors
-- that error_patterns does not list; total_errors stays exact.
CREATE FUNCTION merge_shares(patterns jsonb[], issues jsonb[], summaries jsonb[], most integer,
                             OUT error_patterns jsonb, OUT performance_issues jsonb, OUT summary jsonb)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET timezone = 'UTC'
AS $$
DECLARE
    listed bigint;
    rest   bigint;
BEGIN
    IF cardinality(summaries) = 1 AND jsonb_array_length(patterns[1]) <= most THEN
        error_patterns := patterns[1];
        performance_issues := issues[1];
        summary := summaries[1];
        RETURN;
    END IF;
    error_patterns := merge_patterns(patterns, most);
    performance_issues := merge_issues(issues);
    summary := merge_summaries(summaries);
    listed := jsonb_array_length(error_patterns);
    rest := coalesce((summary ->> 'total_errors')::bigint, 0)
          - (SELECT coalesce(sum((p ->> 'count')::bigint), 0) FROM jsonb_array_elements(error_patterns) p);
    summary := summary || jsonb_build_object('rest_errors', rest, 'unique_patterns',
        CASE WHEN rest = 0 THEN listed ELSE greatest(listed, round(hll_estimate(summary ->> 'patterns'))::bigint) END);
END $$;

-- Folds shares of windows that ended before closed: those of one window and service become one row, not rolled yet.
-- Takes at most batch shares and returns how many it took.
CREATE FUNCTION fold_windows(closed timestamptz, batch integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' SET jit = off
AS $$
DECLARE
    picked bigint[];
BEGIN
    IF NOT become_compactor() THEN
        RETURN 0;
    END IF;
    picked := ARRAY(
        SELECT s.share
        FROM (SELECT a.share, a.timestamp, a.window_seconds, a.service,
                     count(*) OVER (PARTITION BY a.timestamp, a.window_seconds, a.service) AS shares
              FROM log_analytics a
              WHERE NOT a.rolled AND a.timestamp < closed
                AND a.timestamp + make_interval(secs => a.window_seconds) <= closed) s
        WHERE s.shares > 1
        ORDER BY s.timestamp, s.window_seconds, s.service, s.share LIMIT greatest(batch, 2));
    WITH gone AS (
        DELETE FROM log_analytics WHERE share = ANY (picked) RETURNING *)
    INSERT INTO log_analytics (timestamp, window_seconds, service, error_patterns, performance_issues, summary)
    SELECT g.timestamp, g.window_seconds, g.service, m.*
    FROM (SELECT timestamp, window_seconds, service, array_agg(error_patterns) AS patterns,
                 array_agg(performance_issues) AS issues, array_agg(summary) AS summaries
          FROM gone GROUP BY timestamp, window_seconds, service) g
    CROSS JOIN merge_shares(g.patterns, g.issues, g.summaries, 10000) m;
    RETURN cardinality(picked);
END $$;

-- Rolls up one hour that ended before closed, the one with the share that has waited longest: in one statement its
-- unrolled rows become rolled minute rows, merged with those already there, and are added to the row of the hour and to
-- the totals of their patterns. A row is unrolled until this statement and never again after it, so whatever late lines
-- and folds did before, each error is added to the totals once. Takes at most batch rows; true if more are waiting.
CREATE FUNCTION roll_hour(closed timestamptz, batch integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' SET jit = off
AS $$
DECLARE
    hour   timestamptz;
    hours  bigint;
    picked bigint[];
BEGIN
    IF NOT become_compactor() THEN
        RETURN false;
    END IF;
    SELECT h.hour, count(*) OVER () INTO hour, hours
    FROM (SELECT date_trunc('hour', a.timestamp) AS hour, min(a.share) AS oldest
          FROM log_analytics a WHERE NOT a.rolled AND a.timestamp < date_trunc('hour', closed) GROUP BY 1) h
    ORDER BY h.oldest LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    picked := ARRAY(
        SELECT a.share FROM log_analytics a
        WHERE NOT a.rolled AND a.timestamp >= hour AND a.timestamp < hour + interval '1 hour'
        ORDER BY a.share LIMIT greatest(batch, 1));

    WITH unrolled AS (
        DELETE FROM log_analytics WHERE share = ANY (picked) RETURNING *),
    old_minutes AS (
        DELETE FROM log_analytics a
        USING (SELECT DISTINCT timestamp, window_seconds, service FROM unrolled) u
        WHERE a.rolled AND a.window_seconds < 3600 AND a.timestamp = u.timestamp
          AND a.window_seconds = u.window_seconds AND a.service IS NOT DISTINCT FROM u.service
        RETURNING a.*),
    old_hours AS (
        DELETE FROM log_analytics a
        USING (SELECT DISTINCT service FROM unrolled) u
        WHERE a.window_seconds = 3600 AND a.timestamp = hour AND a.service IS NOT DISTINCT FROM u.service
        RETURNING a.*),
    merging AS (
        SELECT * FROM unrolled
        UNION ALL SELECT * FROM old_minutes
        UNION ALL SELECT hour, 3600, service, share, rolled, error_patterns, performance_issues, summary FROM unrolled
        UNION ALL SELECT * FROM old_hours),
    new_rows AS (
        INSERT INTO log_analytics (timestamp, window_seconds, service, rolled, error_patterns, performance_issues, summary)
        SELECT g.timestamp, g.window_seconds, g.service, true, m.*
        FROM (SELECT timestamp, window_seconds, service, array_agg(error_patterns) AS patterns,
                     array_agg(performance_issues) AS issues, array_agg(summary) AS summaries
              FROM merging GROUP BY timestamp, window_seconds, service) g
        CROSS JOIN merge_shares(g.patterns, g.issues, g.summaries, CASE g.window_seconds WHEN 3600 THEN 1000 ELSE 10000 END) m)
    INSERT INTO log_pattern_totals AS t (pattern_id, level, total, services, last_seen)
    SELECT p.pattern_id, (array_agg(p.level ORDER BY p.last DESC, p.level))[1], sum(p.count),
           coalesce((array_agg(DISTINCT u.service) FILTER (WHERE u.service IS NOT NULL))[:100], '{}'), max(p.last)
    FROM unrolled u CROSS JOIN jsonb_to_recordset(u.error_patterns) AS p (
         pattern_id bigint, count bigint, level text, last timestamptz)
    GROUP BY p.pattern_id ORDER BY p.pattern_id
    ON CONFLICT (pattern_id) DO UPDATE SET
        total = t.total + excluded.total,
        level = CASE WHEN excluded.last_seen >= t.last_seen THEN excluded.level ELSE t.level END,
        last_seen = greatest(t.last_seen, excluded.last_seen),
        services = (ARRAY(SELECT DISTINCT s FROM unnest(t.services || excluded.services) s ORDER BY s))[:100];
    RETURN hours > 1 OR cardinality(picked) >= batch;
END $$;

-- One step of compaction: rolls up an hour and folds windows, at most batch shares each. True if there is more to do
-- now; false also if another session is compacting. Windows and hours are left alone until 2 minutes after their end.
CREATE FUNCTION compact(batch integer DEFAULT 5000) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    closed constant timestamptz := now() - interval '2 minutes';
    more   boolean;
BEGIN
    IF batch IS NULL OR batch NOT BETWEEN 2 AND 100000 THEN
        RAISE EXCEPTION 'batch must be between 2 and 100000, not %', batch USING ERRCODE = 'invalid_parameter_value';
    END IF;
    more := roll_hour(closed, batch);
    RETURN fold_windows(closed, batch) >= batch OR more;
END $$;

REVOKE EXECUTE ON FUNCTION become_compactor, fold_windows, roll_hour, compact FROM PUBLIC;
