-- Goes over to blocks: adds what is there already, and lets questions about endpoints read them.

-- Minutes make the blocks of ten minutes, hours those up to six hours, days the rest, since each may be kept longer than
-- the one before.
DO $$
DECLARE
    day timestamptz;
BEGIN
    UPDATE log_analytics a
    SET in_blocks = true, (endpoints, histograms) = (
        SELECT array_agg(e.key ORDER BY e.key), array_agg(e.value::numeric ORDER BY e.key) FROM jsonb_each(a.packed_latency) e)
    WHERE a.rolled;
    UPDATE log_analytics SET endpoints = '{}', histograms = '{}' WHERE endpoints IS NULL AND packed_latency = '{}';
    FOR day IN SELECT DISTINCT date_trunc('day', timestamp, 'UTC') FROM log_analytics WHERE rolled ORDER BY 1 LOOP
        PERFORM add_to_blocks(ARRAY(
            SELECT share FROM log_analytics WHERE rolled AND window_seconds < 3600
               AND timestamp >= day AND timestamp < day + interval '1 day'), '{600}');
        PERFORM add_to_blocks(ARRAY(
            SELECT share FROM log_analytics WHERE window_seconds = 3600
               AND timestamp >= day AND timestamp < day + interval '1 day'), '{3600,21600}');
        PERFORM add_to_blocks(ARRAY(
            SELECT share FROM log_analytics WHERE window_seconds = 86400 AND timestamp = day), '{86400,518400}');
    END LOOP;
    UPDATE log_analytics SET endpoints = NULL, histograms = NULL WHERE window_seconds >= 3600;
    -- Windows that are folded but not rolled.
    UPDATE log_analytics a
    SET (endpoints, histograms) = (
        SELECT coalesce(array_agg(e.key ORDER BY e.key), '{}'), coalesce(array_agg(e.value::numeric ORDER BY e.key), '{}')
        FROM jsonb_each(a.packed_latency) e)
    WHERE NOT a.rolled AND a.packed_latency IS NOT NULL;
END $$;

-- The column goes that blocks take the place of. What is in the way reads nothing meanwhile.
CREATE OR REPLACE FUNCTION analytics_between(since timestamptz, until timestamptz) RETURNS SETOF log_analytics
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT a FROM log_analytics a;
END;

CREATE OR REPLACE FUNCTION rollups_between(since timestamptz, until timestamptz) RETURNS SETOF log_analytics
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT a FROM log_analytics a;
END;

CREATE OR REPLACE FUNCTION histograms_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL,
                                              only_endpoint text DEFAULT NULL)
RETURNS TABLE (service text, endpoint text, histogram numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT NULL::text, NULL::text, NULL::numeric;
END;

-- The histograms of a range without telling endpoints apart.
CREATE OR REPLACE FUNCTION overall_between(since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS TABLE (service text, histogram numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT w.service, w.packed_overall FROM rollups_between(since, until) w
    WHERE w.packed_overall IS NOT NULL AND (only_service IS NULL OR w.service = only_service)
    UNION ALL
    SELECT w.service, (sum(b.c) || 'e' || bucket_place(b.k))::numeric
    FROM rollups_between(since, until) w CROSS JOIN jsonb_each(w.summary -> 'latency') e
    CROSS JOIN unnest(string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
    WHERE w.packed_overall IS NULL AND (only_service IS NULL OR w.service = only_service)
    GROUP BY w.service, b.k;
END;

ALTER TABLE log_analytics DROP COLUMN packed_latency;
DROP FUNCTION pack_latency;

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

-- Deletes what log_events does not hold and is older than expired, hour and day rows and blocks that are older than
-- windows, at most batch rows a table. Returns the name of a table that may hold more, or NULL.
CREATE OR REPLACE FUNCTION trim_tables(expired timestamptz, windows timestamptz, batch integer) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    -- The hour rows hold what minute rows say, in a sixtieth of the space, so these go after a week at the latest.
    minutes constant timestamptz := greatest(expired, now() - interval '7 days');
    removed bigint;
    more    text;
BEGIN
    IF become_compactor() THEN -- or the two could wait for each other's rows
        DELETE FROM log_analytics WHERE share = ANY (ARRAY(
            SELECT share FROM log_analytics WHERE window_seconds < 3600 AND timestamp < minutes AND rolled LIMIT batch));
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed >= batch THEN more := 'log_analytics'; END IF;

        DELETE FROM log_analytics WHERE share = ANY (ARRAY(
            SELECT share FROM log_analytics
            WHERE window_seconds = 3600 AND timestamp < windows - interval '1 hour' LIMIT batch));
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed >= batch THEN more := 'log_analytics'; END IF;

        DELETE FROM log_analytics WHERE share = ANY (ARRAY(
            SELECT share FROM log_analytics
            WHERE window_seconds = 86400 AND timestamp < windows - interval '1 day' LIMIT batch));
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed >= batch THEN more := 'log_analytics'; END IF;

        DELETE FROM log_endpoints WHERE ctid = ANY (ARRAY(
            SELECT e.ctid FROM log_endpoints e
            WHERE e.timestamp < CASE e.window_seconds WHEN 600 THEN minutes - interval '10 minutes'
                                ELSE windows - make_interval(secs => e.window_seconds) END LIMIT batch));
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed >= batch THEN more := 'log_endpoints'; END IF;
    END IF;

    DELETE FROM log_dead_letters WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM log_dead_letters WHERE received_at < expired LIMIT batch));
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed >= batch THEN more := 'log_dead_letters'; END IF;

    DELETE FROM log_instances WHERE seen_at < expired;
    PERFORM fold_positions(expired);
    RETURN more;
END $$;

REVOKE EXECUTE ON FUNCTION trim_tables FROM PUBLIC;
