-- Windows can be kept longer than events: they take little, and what they say of last year is worth having.

DROP FUNCTION drop_expired(interval);

-- Removes something older than keep and returns its name, or NULL when nothing is left to remove or another session is
-- removing. Hour and day rows of log_analytics go when they are older than windows, by default keep, which must not be
-- more. A call drops one partition of log_events that ends before then; without such a partition it trims the other
-- tables by at most 10,000 rows each. So call it in a transaction of its own until it returns NULL.
--
-- DROP TABLE waits for whoever reads log_events, and everybody else waits behind it. It gives up after 200 ms with
-- SQLSTATE 55P03, having changed nothing; call again later.
CREATE FUNCTION drop_expired(keep interval, windows interval DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET timezone = 'UTC' SET lock_timeout = '200ms'
AS $$
DECLARE
    expired timestamptz := now() - keep;
    part    text;
BEGIN
    IF keep IS NULL OR keep < interval '1 day' THEN
        RAISE EXCEPTION 'keep must be at least one day, not %', keep USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF windows < keep THEN
        RAISE EXCEPTION 'windows must be kept as long as events at least, for %, not %', keep, windows
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtext('logflume retention'), 'log_events'::regclass::oid::integer) THEN
        RETURN NULL;
    END IF;
    SELECT p.name INTO part FROM list_partitions() p WHERE p.upper <= expired ORDER BY p.upper LIMIT 1;
    IF FOUND THEN
        EXECUTE 'DROP TABLE ' || part;
        RETURN part;
    END IF;
    RETURN trim_tables(expired, now() - coalesce(windows, keep), 10000);
END $$;

DROP FUNCTION trim_tables(timestamptz, integer);

-- Deletes what log_events does not hold and is older than expired, hour and day rows that are older than windows, at most
-- batch rows a table. Returns the name of a table that may hold more, or NULL.
CREATE FUNCTION trim_tables(expired timestamptz, windows timestamptz, batch integer) RETURNS text
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
    END IF;

    DELETE FROM log_dead_letters WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM log_dead_letters WHERE received_at < expired LIMIT batch));
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed >= batch THEN more := 'log_dead_letters'; END IF;

    DELETE FROM log_instances WHERE seen_at < expired;
    PERFORM fold_positions(expired);
    RETURN more;
END $$;

REVOKE EXECUTE ON FUNCTION drop_expired, trim_tables FROM PUBLIC;
