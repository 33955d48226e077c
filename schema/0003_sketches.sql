-- What the analysis keeps in JSON merges without loss, in any order. These functions merge it and read it.
--
-- Latency: a histogram of logarithmic buckets. A time of x ms is in bucket ceil(ln x / ln γ), γ = 1.01/0.99, so that
-- every time is known to within 1 %; bucket -2147483648 stands for 0. k holds bucket numbers, ascending, c their counts.
-- Distinct users, tenants, patterns: HyperLogLog of 2^12 registers, a list of register * 64 + rho without the empty ones.
-- A list of whole numbers is a string, '120 121 133': as an array each number would be parsed and stored as a numeric of
-- its own, which nearly doubles what inserting a share costs and makes it twice as large.
--
-- The merge functions are in PL/pgSQL for the plans that it keeps: compaction calls them once a window, and planning such
-- a query takes as long as running it.

-- The time in ms that stands for a bucket.
CREATE FUNCTION latency_value(bucket integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN bucket = -2147483648 THEN 0
       ELSE 2 * power(1.01::double precision / 0.99, bucket) / (1.01::double precision / 0.99 + 1) END;

-- The number of distinct values that a list of registers has seen; standard error 1.6 %.
CREATE FUNCTION hll_estimate(registers text) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN raw <= 2.5 * 4096 AND seen < 4096 THEN 4096 * ln(4096 / (4096 - seen)) ELSE raw END
    FROM (SELECT count(*)::double precision AS seen,
                 0.7213 / (1 + 1.079 / 4096) * 4096 * 4096
                     / (coalesce(sum(power(2::double precision, -(r & 63))), 0) + 4096 - count(*)) AS raw
          FROM unnest(string_to_array(registers, ' ')::integer[]) r) e;
END;

-- Merges lists of registers; none make an empty one.
CREATE FUNCTION merge_registers(lists text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    RETURN (
        SELECT coalesce(string_agg(r::text, ' ' ORDER BY r), '')
        FROM (SELECT max(x) AS r
              FROM unnest(lists) list CROSS JOIN unnest(string_to_array(list, ' ')::integer[]) x GROUP BY x >> 6) m);
END $$;

-- Adds up objects of numbers by key.
CREATE FUNCTION merge_counts(objects jsonb[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_object_agg(key, n), '{}')
        FROM (SELECT e.key, sum(e.value::numeric) AS n FROM unnest(objects) o CROSS JOIN jsonb_each(o) e GROUP BY e.key) m);
END $$;

-- Merges histograms by endpoint. The 200 endpoints with the smallest route hash h keep their own, the rest share
-- "other". An endpoint among the smallest of the union was among the smallest of each part it occurs in, so it has all
-- its counts, and the outcome depends neither on the order of merges nor on the hosts.
CREATE FUNCTION merge_latency(latencies jsonb[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    RETURN (
        WITH parts AS MATERIALIZED (
            SELECT e.key, r.* FROM unnest(latencies) l CROSS JOIN jsonb_each(l) e CROSS JOIN jsonb_to_record(e.value) AS r (
                   h bigint, n bigint, sum numeric, max numeric, slow bigint, k text, c text)),
        own AS (SELECT key FROM parts WHERE key <> 'other' GROUP BY key ORDER BY min(h), key LIMIT 200),
        named AS MATERIALIZED (
            SELECT coalesce(own.key, 'other') AS endpoint, parts.* FROM parts LEFT JOIN own USING (key)),
        heads AS (
            SELECT endpoint, min(h) FILTER (WHERE endpoint <> 'other') AS h, sum(n) AS n, sum(sum) AS sum, max(max) AS max,
                   sum(slow) AS slow
            FROM named GROUP BY endpoint),
        buckets AS (
            SELECT endpoint, b.k, sum(b.c) AS c
            FROM named CROSS JOIN unnest(string_to_array(named.k, ' ')::integer[], string_to_array(named.c, ' ')::bigint[]) b (k, c)
            GROUP BY endpoint, b.k),
        histograms AS (
            SELECT endpoint, string_agg(k::text, ' ' ORDER BY k) AS k, string_agg(c::text, ' ' ORDER BY k) AS c
            FROM buckets GROUP BY endpoint)
        SELECT coalesce(jsonb_object_agg(endpoint, jsonb_strip_nulls(jsonb_build_object(
                   'h', h, 'n', n, 'sum', sum, 'max', max, 'slow', slow, 'k', coalesce(k, ''), 'c', coalesce(c, '')))), '{}')
        FROM heads LEFT JOIN histograms USING (endpoint));
END $$;

-- Merges lists of error patterns, keeping the most frequent ones.
CREATE FUNCTION merge_patterns(lists jsonb[], most integer) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_object('pattern_id', m.pattern_id, 'pattern', m.pattern, 'count', m.count,
                                                     'level', m.level, 'first', m.first, 'last', m.last, 'sample', m.sample)
                                  ORDER BY m.count DESC, m.pattern_id), '[]')
        FROM (SELECT p.pattern_id, max(p.pattern) AS pattern, sum(p.count) AS count,
                     (array_agg(p.level ORDER BY p.last DESC, p.level))[1] AS level,
                     min(p.first) AS first, max(p.last) AS last,
                     (array_agg(p.sample ORDER BY p.last DESC, p.sample))[1] AS sample
              FROM unnest(lists) list CROSS JOIN jsonb_to_recordset(list) AS p (
                   pattern_id bigint, pattern text, count bigint, level text, first timestamptz, last timestamptz, sample text)
              GROUP BY p.pattern_id ORDER BY sum(p.count) DESC, p.pattern_id LIMIT most) m);
END $$;

-- Merges lists of slow requests, keeping the hundred slowest.
CREATE FUNCTION merge_issues(lists jsonb[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(m.issue ORDER BY m.ms DESC NULLS LAST, m.issue), '[]')
        FROM (SELECT i AS issue, (i ->> 'response_time')::double precision AS ms
              FROM unnest(lists) list CROSS JOIN jsonb_array_elements(list) i
              ORDER BY ms DESC NULLS LAST, issue LIMIT 100) m);
END $$;

-- Merges summaries: "latency" is histograms, the strings "users", "tenants" and "patterns" are HyperLogLog registers, of
-- all else numbers add up and objects add up by key. A member this version does not know of merges by the same rule;
-- one that is neither number nor object is left out.
CREATE FUNCTION merge_summaries(summaries jsonb[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_object_agg(m.key, m.merged) FILTER (WHERE m.merged IS NOT NULL), '{}')
        FROM (SELECT e.key,
                     CASE
                     WHEN e.key = 'latency'
                     THEN merge_latency(array_agg(e.value) FILTER (WHERE jsonb_typeof(e.value) = 'object'))
                     WHEN e.key IN ('users', 'tenants', 'patterns')
                     THEN CASE WHEN bool_or(jsonb_typeof(e.value) = 'string')
                          THEN to_jsonb(merge_registers(array_agg(e.value #>> '{}') FILTER (WHERE jsonb_typeof(e.value) = 'string'))) END
                     ELSE coalesce(
                         to_jsonb(sum(e.value::numeric) FILTER (WHERE jsonb_typeof(e.value) = 'number')),
                         CASE WHEN bool_or(jsonb_typeof(e.value) = 'object')
                         THEN merge_counts(array_agg(e.value) FILTER (WHERE jsonb_typeof(e.value) = 'object')) END)
                     END AS merged
              FROM unnest(summaries) s CROSS JOIN jsonb_each(s) e GROUP BY e.key) m);
END $$;
