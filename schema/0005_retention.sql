-- Retention. Nothing here runs unless it is asked for with the age from which data may go.

-- Removes something older than keep and returns its name, or NULL when nothing is left to remove or another session is
-- removing. A call drops one partition of log_events that ends before then; without such a partition it trims the other
-- tables by at most 10,000 rows each. So call it in a transaction of its own until it returns NULL.
--
-- DROP TABLE waits for whoever reads log_events, and everybody else waits behind it. It gives up after 200 ms with
-- SQLSTATE 55P03, having changed nothing; call again later.
CREATE FUNCTION drop_expired(keep interval) RETURNS text
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
    IF NOT pg_try_advisory_xact_lock(hashtext('logflume retention'), 'log_events'::regclass::oid::integer) THEN
        RETURN NULL;
    END IF;
    SELECT p.name INTO part FROM list_partitions() p WHERE p.upper <= expired ORDER BY p.upper LIMIT 1;
    IF FOUND THEN
        EXECUTE 'DROP TABLE ' || part;
        RETURN part;
    END IF;
    RETURN trim_tables(expired, 10000);
END $$;

-- Deletes what log_events does not hold and is older than expired, at most batch rows a table. Returns the name of a
-- table that may hold more, or NULL.
CREATE FUNCTION trim_tables(expired timestamptz, batch integer) RETURNS text
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
            WHERE window_seconds = 3600 AND timestamp < expired - interval '1 hour' LIMIT batch));
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

-- Adds the rows of files that are finished, and of which no event can be left in log_events, to the row folded:<host>.
--
-- A row of a file must outlive the file's events, or a file of that name and content would be read again beside them.
-- Events are at most a day younger than the commit that stored them, two days to be safe with clocks; so they are gone
-- once every partition that begins before then is.
CREATE FUNCTION fold_positions(expired timestamptz) RETURNS bigint
LANGUAGE sql SET search_path FROM CURRENT
AS $$
    WITH gone AS (
        DELETE FROM log_positions
        WHERE source_key LIKE 'file:%' AND meta @> '{"closed": true}'
          AND updated_at + interval '2 days' < least(expired, (SELECT min(lower) FROM list_partitions()))
        RETURNING *),
    hosts AS (
        INSERT INTO log_positions AS p (source_key, lines, kept, filtered, dead, events, analysed, bytes, lost_bytes,
                                        lost_messages, meta)
        SELECT regexp_replace(source_key, '^file:(.*)/[^/]*$', 'folded:\1'), sum(lines), sum(kept), sum(filtered),
               sum(dead), sum(events), sum(analysed), sum(bytes), sum(lost_bytes), sum(lost_messages),
               jsonb_build_object('closed', true, 'sources', count(*))
        FROM gone GROUP BY 1
        ON CONFLICT (source_key) DO UPDATE SET
            lines = p.lines + excluded.lines, kept = p.kept + excluded.kept, filtered = p.filtered + excluded.filtered,
            dead = p.dead + excluded.dead, events = p.events + excluded.events,
            analysed = p.analysed + excluded.analysed, bytes = p.bytes + excluded.bytes,
            lost_bytes = p.lost_bytes + excluded.lost_bytes, lost_messages = p.lost_messages + excluded.lost_messages,
            meta = p.meta || jsonb_build_object('sources',
                (p.meta ->> 'sources')::bigint + (excluded.meta ->> 'sources')::bigint),
            updated_at = now())
    SELECT count(*) FROM gone
$$;

REVOKE EXECUTE ON FUNCTION drop_expired, trim_tables, fold_positions FROM PUBLIC;
