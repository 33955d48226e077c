-- Partitions of log_events: a day each (UTC), a month for days long past, so that importing years of old files does not
-- make thousands of tables. There is no default partition: it would make every later ATTACH scan it under lock.

-- The partitions and their bounds [lower, upper).
CREATE FUNCTION list_partitions() RETURNS TABLE (name text, lower timestamptz, upper timestamptz)
LANGUAGE sql STABLE SET search_path FROM CURRENT SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
AS $$
    SELECT c.oid::regclass::text,
           coalesce(substring(b FROM 'FROM \(''([^'']+)''\)')::timestamptz, '-infinity'),
           coalesce(substring(b FROM 'TO \(''([^'']+)''\)')::timestamptz, 'infinity')
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN pg_get_expr(c.relpartbound, c.oid) b
    WHERE i.inhparent = 'log_events'::regclass AND NOT i.inhdetachpending AND b <> 'DEFAULT'
    ORDER BY 2
$$;

-- Makes the partition that events of that time need, unless there is one. True if it did.
--
-- CREATE TABLE … PARTITION OF would lock log_events exclusively, so that one long query stops all ingestion behind it.
-- A table made on its own and attached needs only SHARE UPDATE EXCLUSIVE, which no reader or writer waits for; being
-- empty, it is not scanned either.
CREATE FUNCTION ensure_partition(at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC'
AS $$
DECLARE
    month_age constant interval := '59 days'; -- days before that day are old; pipeline.MonthAge
    today     constant timestamptz := date_trunc('day', now());
    first     timestamptz := date_trunc('month', at);
    until     timestamptz := first + interval '1 month';
    part      text := to_char(at, '"log_events_"YYYYMM');
BEGIN
    IF at IS NULL OR at < '2000-01-01' OR at >= today + interval '8 days' THEN
        RAISE EXCEPTION 'no partition is made for %: only from 2000 on and up to a week ahead', at
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF EXISTS (SELECT FROM list_partitions() p WHERE at >= p.lower AND at < p.upper) THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('logflume partitions'), 'log_events'::regclass::oid::integer);
    IF EXISTS (SELECT FROM list_partitions() p WHERE at >= p.lower AND at < p.upper) THEN
        RETURN false; -- made by another while we waited
    END IF;

    IF at >= today - month_age
       OR EXISTS (SELECT FROM list_partitions() p WHERE p.lower < until AND p.upper > first) THEN
        first := date_trunc('day', at);
        until := first + interval '1 day';
        part := to_char(at, '"log_events_"YYYYMMDD');
        -- Partitions somebody made by hand may cover part of the day: take what is free around that time.
        SELECT greatest(first, max(p.upper) FILTER (WHERE p.upper <= at)),
               least(until, min(p.lower) FILTER (WHERE p.lower > at))
        INTO first, until FROM list_partitions() p;
    END IF;
    WHILE to_regclass(part) IS NOT NULL LOOP
        part := part || '_'; -- the name belongs to a table that was detached
    END LOOP;
    EXECUTE format('CREATE TABLE %I (LIKE log_events INCLUDING ALL)', part);
    EXECUTE format('ALTER TABLE log_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, first, until);
    RETURN true;
END $$;

-- ensure_partition for several days, at most a thousand; returns how many partitions it made.
CREATE FUNCTION ensure_partitions(days date[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC'
AS $$
DECLARE
    day  date;
    made integer := 0;
BEGIN
    IF cardinality(days) > 1000 THEN
        RAISE EXCEPTION 'too many days in one call: %', cardinality(days) USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR day IN
        SELECT DISTINCT d FROM unnest(days) d
        WHERE NOT EXISTS (SELECT FROM list_partitions() p
                          WHERE d::timestamptz >= p.lower AND (d + 1)::timestamptz <= p.upper)
        ORDER BY d
    LOOP
        made := made + ensure_partition(day::timestamptz)::integer;
    END LOOP;
    RETURN made;
END $$;

REVOKE EXECUTE ON FUNCTION ensure_partition, ensure_partitions FROM PUBLIC;
