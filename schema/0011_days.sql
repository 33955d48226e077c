-- Days. A roll-up of an hour is not enough for a month of twenty services: that is 14,400 rows, each with a histogram for
-- every endpoint. So an hour's shares are added to the row of its day (UTC) as well, in the same statement, and a range
-- of time reads day rows where it holds full days:
--     window_seconds < 3600                     counts every event once, as long as minute rows are kept
--     window_seconds = 3600 OR NOT rolled       counts every event once, as long as hour rows are kept
--     window_seconds = 86400 OR NOT rolled      counts every event once

ALTER TABLE log_analytics
    DROP CONSTRAINT window_divides_hour,
    ADD CONSTRAINT window_divides_hour
        CHECK (window_seconds > 0 AND 3600 % window_seconds = 0 OR window_seconds = 86400);

-- Histograms that add up by sum(). In a packed histogram the requests of a bucket are twelve decimal digits, so bucket k
-- counts 10^12k, and adding numbers adds histograms: in C, at some microseconds each, where unnesting two lists and
-- grouping them takes a thousand times as long. Zeros compress, so a packed histogram is smaller than the lists, too.
-- 10^12 requests in one bucket, which would run into the next, are a million a second for eleven days.

-- The power of ten at which a bucket's digits begin. The bucket of 0 lies below the one of a millionth of a nanosecond, all
-- beyond 10^86 ms share one: numeric has room for that much.
CREATE FUNCTION bucket_place(bucket integer) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN bucket = -2147483648 THEN -12 * 1040 ELSE 12 * least(bucket, 10000) END;

-- The histograms of an object by endpoint, packed.
CREATE FUNCTION pack_latency(latency jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_object_agg(p.key, p.packed), '{}')
        FROM (SELECT e.key, sum((b.c || 'e' || bucket_place(b.k))::numeric) AS packed
              FROM jsonb_each(latency) e
              CROSS JOIN unnest(string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')) b (k, c)
              GROUP BY e.key) p);
END $$;

-- The histogram of all endpoints together, packed. A number for each bucket, not for each bucket of each endpoint.
CREATE FUNCTION pack_overall(latency jsonb) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN (
        SELECT sum((g.c || 'e' || bucket_place(g.k))::numeric)
        FROM (SELECT b.k, sum(b.c) AS c
              FROM jsonb_each(latency) e CROSS JOIN unnest(
                  string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
              GROUP BY b.k) g);
END $$;

-- Sketches that merge by bit_or(). A packed sketch has 32 bits for each register, of which the one for its rho is set, the
-- greatest first; so the first set bit of a union is the greatest rho. A rho above 32, one hash in four thousand million,
-- counts as 32. The bits are put together as hexadecimal digits, eight a register.
CREATE FUNCTION pack_registers(registers text) RETURNS bit varying
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
    RETURN (
        SELECT ('x' || coalesce(string_agg(repeat('0', 8 * (r.i - r.before - 1))
                                           || lpad(to_hex(1::bigint << (least(r.rho, 32) - 1)), 8, '0'), '' ORDER BY r.i), '')
                    || repeat('0', 8 * (4095 - coalesce(max(r.i), -1))))::bit varying
        FROM (SELECT x >> 6 AS i, x & 63 AS rho, coalesce(lag(x >> 6) OVER (ORDER BY x), -1) AS before
              FROM unnest(string_to_array(registers, ' ')::integer[]) x) r);
END $$;

-- The sketch as a list again, for hll_estimate.
CREATE FUNCTION unpack_registers(sketch bit varying) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
    RETURN (
        SELECT coalesce(string_agg((64 * r.i + 33 - r.first)::text, ' ' ORDER BY r.i), '')
        FROM (SELECT i, position(B'1' IN substring(sketch FROM 32 * i + 1 FOR 32)) AS first FROM generate_series(0, 4095) i) r
        WHERE r.first > 0);
END $$;

-- Copies of what is in the summary, for reading a part of it: a summary is up to some hundred kilobytes, which Postgres
-- decompresses as a whole to read one number. Histograms and sketches are packed by compaction only (rows that were never merged have
-- no rest_errors), so that it costs writers nothing.
ALTER TABLE log_analytics
    ADD COLUMN totals jsonb GENERATED ALWAYS AS (summary - '{latency,users,tenants,patterns}'::text[]) STORED,
    ADD COLUMN packed_overall numeric GENERATED ALWAYS AS (
        CASE WHEN window_seconds >= 3600 OR summary ? 'rest_errors' THEN pack_overall(summary -> 'latency') END) STORED,
    ADD COLUMN packed_users bit varying GENERATED ALWAYS AS (
        CASE WHEN window_seconds >= 3600 OR summary ? 'rest_errors' THEN pack_registers(summary ->> 'users') END) STORED,
    ADD COLUMN packed_tenants bit varying GENERATED ALWAYS AS (
        CASE WHEN window_seconds >= 3600 OR summary ? 'rest_errors' THEN pack_registers(summary ->> 'tenants') END) STORED,
    ADD COLUMN packed_latency jsonb GENERATED ALWAYS AS (
        CASE WHEN window_seconds >= 3600 OR summary ? 'rest_errors' THEN pack_latency(summary -> 'latency') END) STORED;
DO $$
BEGIN
    ALTER TABLE log_analytics ALTER packed_latency SET COMPRESSION lz4, ALTER packed_users SET COMPRESSION lz4,
        ALTER packed_tenants SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL; -- a server built without lz4 compresses its own way
END $$;

-- How many requests of a packed histogram are in buckets above one; NULL counts all. Digits in groups of twelve add up
-- modulo 10^12 - 1, as single digits do modulo 9.
CREATE FUNCTION latency_above(histogram numeric, bucket integer DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    place integer := -scale(histogram);
BEGIN
    IF bucket IS NOT NULL THEN
        place := greatest(place, CASE WHEN bucket = -2147483648 THEN -12 * 1039 ELSE 12 * (least(bucket, 10000) + 1) END);
    END IF;
    IF place >= 0 THEN
        RETURN mod(trunc(histogram, -place), 999999999999);
    END IF;
    RETURN mod(trunc(histogram, -place) * ('1e' || -place)::numeric, 999999999999);
END $$;

-- The bucket of a packed histogram in which the request is that percentile_disc would name. It halves the digits until one
-- bucket is left.
CREATE FUNCTION latency_bucket(histogram numeric, q double precision) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    first  constant integer := -scale(histogram) / 12; -- number of the bucket in the last twelve digits
    part    numeric := trunc(histogram * ('1e' || scale(histogram))::numeric); -- the buckets from low to below high
    n       constant bigint := mod(part, 999999999999);
    most    constant bigint := n - greatest(ceil(q * n), 1); -- requests above the bucket, or fewer
    low     integer := 0;
    high    integer := 1024;
    above   bigint := 0; -- requests above part
    middle  integer;
    upper   numeric;
    counted bigint;
BEGIN
    IF n = 0 THEN
        RETURN NULL;
    END IF;
    WHILE trunc(part, -12 * high) > 0 LOOP
        high := 2 * high;
    END LOOP;
    WHILE high - low > 1 LOOP
        middle := (low + high) / 2;
        upper := trunc(part * ('1e-' || 12 * (middle - low))::numeric);
        counted := mod(upper, 999999999999);
        IF above + counted > most THEN
            part := upper;
            low := middle;
        ELSE
            part := part - upper * ('1e' || 12 * (middle - low))::numeric;
            above := above + counted;
            high := middle;
        END IF;
    END LOOP;
    RETURN CASE first + low WHEN -1040 THEN -2147483648 ELSE first + low END;
END $$;

CREATE INDEX log_analytics_days ON log_analytics (timestamp) WHERE window_seconds = 86400;

COMMENT ON TABLE log_analytics IS
    'Windows of analysis. Always filter: window_seconds < 3600, or (window_seconds = 3600 OR NOT rolled), or '
    '(window_seconds = 86400 OR NOT rolled); without one of these, events are counted several times. '
    'analytics_between(since, until) and rollups_between(since, until) do it for you.';

-- Rolls up one hour that ended before closed, the one with the share that has waited longest: in one statement its
-- unrolled rows become rolled minute rows, merged with those already there, and are added to the row of the hour, to the
-- row of its day and to the totals of their patterns. A row is unrolled until this statement and never again after it, so
-- whatever late lines and folds did before, each error is added to the totals once. Takes at most batch rows; true if
-- more are waiting.
CREATE OR REPLACE FUNCTION roll_hour(closed timestamptz, batch integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' SET jit = off
AS $$
DECLARE
    hour   timestamptz;
    day    timestamptz;
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
    day := date_trunc('day', hour);
    picked := ARRAY(
        SELECT a.share FROM log_analytics a
        WHERE NOT a.rolled AND a.timestamp >= hour AND a.timestamp < hour + interval '1 hour'
        ORDER BY a.share LIMIT greatest(batch, 1));

    WITH unrolled AS (
        DELETE FROM log_analytics WHERE share = ANY (picked)
        RETURNING timestamp, window_seconds, service, error_patterns, performance_issues, summary),
    added AS MATERIALIZED ( -- what each service adds to the hour and to the day, with all its patterns
        SELECT u.service, m.*
        FROM (SELECT service, array_agg(error_patterns) AS patterns, array_agg(performance_issues) AS issues,
                     array_agg(summary) AS summaries
              FROM unrolled GROUP BY service) u
        CROSS JOIN merge_shares(u.patterns, u.issues, u.summaries, 2147483647) m),
    old_minutes AS (
        DELETE FROM log_analytics a
        USING (SELECT DISTINCT timestamp, window_seconds, service FROM unrolled) u
        WHERE a.rolled AND a.window_seconds < 3600 AND a.timestamp = u.timestamp
          AND a.window_seconds = u.window_seconds AND a.service IS NOT DISTINCT FROM u.service
        RETURNING a.timestamp, a.window_seconds, a.service, a.error_patterns, a.performance_issues, a.summary),
    old_hours AS (
        DELETE FROM log_analytics a USING added u
        WHERE a.window_seconds = 3600 AND a.timestamp = hour AND a.service IS NOT DISTINCT FROM u.service
        RETURNING a.timestamp, a.window_seconds, a.service, a.error_patterns, a.performance_issues, a.summary),
    old_days AS (
        DELETE FROM log_analytics a USING added u
        WHERE a.window_seconds = 86400 AND a.timestamp = day AND a.service IS NOT DISTINCT FROM u.service
        RETURNING a.timestamp, a.window_seconds, a.service, a.error_patterns, a.performance_issues, a.summary),
    merging AS (
        SELECT * FROM unrolled UNION ALL SELECT * FROM old_minutes
        UNION ALL SELECT hour, 3600, * FROM added UNION ALL SELECT * FROM old_hours
        UNION ALL SELECT day, 86400, * FROM added UNION ALL SELECT * FROM old_days),
    new_rows AS (
        INSERT INTO log_analytics (timestamp, window_seconds, service, rolled, error_patterns, performance_issues, summary)
        SELECT g.timestamp, g.window_seconds, g.service, true, m.*
        FROM (SELECT timestamp, window_seconds, service, array_agg(error_patterns) AS patterns,
                     array_agg(performance_issues) AS issues, array_agg(summary) AS summaries
              FROM merging GROUP BY timestamp, window_seconds, service) g
        CROSS JOIN merge_shares(g.patterns, g.issues, g.summaries, CASE WHEN g.window_seconds < 3600 THEN 10000 ELSE 1000 END) m)
    INSERT INTO log_pattern_totals AS t (pattern_id, level, total, services, last_seen)
    SELECT p.pattern_id, (array_agg(p.level ORDER BY p.last DESC, p.level))[1], sum(p.count),
           coalesce((array_agg(DISTINCT u.service) FILTER (WHERE u.service IS NOT NULL))[:100], '{}'), max(p.last)
    FROM added u CROSS JOIN jsonb_to_recordset(u.error_patterns) AS p (
         pattern_id bigint, count bigint, level text, last timestamptz)
    GROUP BY p.pattern_id ORDER BY p.pattern_id
    ON CONFLICT (pattern_id) DO UPDATE SET
        total = t.total + excluded.total,
        level = CASE WHEN excluded.last_seen >= t.last_seen THEN excluded.level ELSE t.level END,
        last_seen = greatest(t.last_seen, excluded.last_seen),
        services = (ARRAY(SELECT DISTINCT s FROM unnest(t.services || excluded.services) s ORDER BY s))[:100];
    RETURN hours > 1 OR cardinality(picked) >= batch;
END $$;

REVOKE EXECUTE ON FUNCTION roll_hour FROM PUBLIC;

-- The hours that are there already.
DO $$
BEGIN
    INSERT INTO log_analytics (timestamp, window_seconds, service, rolled, error_patterns, performance_issues, summary)
    SELECT h.day, 86400, h.service, true, m.*
    FROM (SELECT date_trunc('day', timestamp, 'UTC') AS day, service, array_agg(error_patterns) AS patterns,
                 array_agg(performance_issues) AS issues, array_agg(summary) AS summaries
          FROM log_analytics WHERE window_seconds = 3600 GROUP BY 1, 2) h
    CROSS JOIN merge_shares(h.patterns, h.issues, h.summaries, 1000) m;
END $$;

-- The rows of log_analytics that together count every event of the range once, in as few rows as can be: days, then
-- hours, and what is not rolled up yet, then the minutes at its ends. The function is inlined, so that indexes serve it
-- and only the columns used are read.
CREATE FUNCTION rollups_between(since timestamptz, until timestamptz) RETURNS SETOF log_analytics
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

-- As before; made anew for the new column.
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

-- Deletes what log_events does not hold and is older than expired, at most batch rows a table. Returns the name of a
-- table that may hold more, or NULL.
CREATE OR REPLACE FUNCTION trim_tables(expired timestamptz, batch integer) RETURNS text
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

        DELETE FROM log_analytics WHERE share = ANY (ARRAY(
            SELECT share FROM log_analytics
            WHERE window_seconds = 86400 AND timestamp < expired - interval '1 day' LIMIT batch));
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

REVOKE EXECUTE ON FUNCTION trim_tables FROM PUBLIC;
