-- Packed histograms count cumulatively. Quantiles are looked for in cumulative counts, and to make these of each sum took a
-- quarter of the time of a question about four thousand endpoints. They add up as counts do, so they are what is stored.
--
-- Histograms begin and end in different buckets, and a sum is right only if each is 0 beyond its ends. So they count from
-- both ends to the middle, which is the decimal point: of the twelve digits of a bucket, those before the point say how many
-- requests are in it and above, those behind the point how many are in it and below. The first bucket before the point is
-- 201, which begins at 54.6 ms: most endpoints have requests on either side of it, and no digits that only lead up to it.

-- Makes a packed histogram of counts, those of bucket k in the twelve digits from bucket_place(k) on. A count at some place,
-- divided by 1 - 10^-12, is that count at this place and all below.
CREATE FUNCTION cumulate(counts numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    placed numeric := counts * 1e-2412;
    above  numeric := trunc(placed);
    places integer := 12 * ceil(min_scale(placed) / 12.0);
    below  numeric := (placed - above) * ('1e' || places)::numeric;
BEGIN
    IF below = 0 THEN
        RETURN div(above * 1000000000000, 999999999999);
    END IF;
    -- Digits in groups of twelve add up modulo 10^12 - 1, as single digits do modulo 9.
    RETURN div(above * 1000000000000, 999999999999)
         + div(mod(below, 999999999999) * ('1e' || places)::numeric - below, 999999999999) * ('1e-' || places)::numeric;
END $$;

-- The functions that compaction packs with; they do as before.
CREATE OR REPLACE FUNCTION pack_endpoints(latency jsonb, OUT endpoints text[], OUT histograms numeric[], OUT overall numeric)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT
AS $$
BEGIN
    SELECT coalesce(array_agg(p.key ORDER BY p.key), '{}'), coalesce(array_agg(p.packed ORDER BY p.key), '{}'), sum(p.packed)
    INTO endpoints, histograms, overall
    FROM (SELECT e.key, cumulate(sum((b.c || 'e' || bucket_place(b.k))::numeric)) AS packed
          FROM jsonb_each(latency) e
          CROSS JOIN unnest(string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')) b (k, c)
          GROUP BY e.key) p;
END $$;

CREATE OR REPLACE FUNCTION pack_overall(latency jsonb) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN (
        SELECT cumulate(sum((g.c || 'e' || bucket_place(g.k))::numeric))
        FROM (SELECT b.k, sum(b.c) AS c
              FROM jsonb_each(latency) e CROSS JOIN unnest(
                   string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
              GROUP BY b.k) g);
END $$;

CREATE OR REPLACE FUNCTION add_to_blocks(shares bigint[], widths integer[] DEFAULT '{600,3600,21600,86400,518400}') RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' SET jit = off SET enable_sort = off
AS $$
BEGIN
    IF cardinality(shares) = 0 THEN
        RETURN;
    END IF;
    WITH picked AS MATERIALIZED (
        SELECT block_start(a.timestamp, 600) AS ten, a.service, a.summary -> 'latency' AS latency, a.endpoints, a.histograms
        FROM log_analytics a WHERE a.share = ANY (shares)),
    -- Histograms and the rest come in rows of their own, to be grouped and not joined.
    tens AS MATERIALIZED (
        SELECT e.ten, e.service, e.endpoint, min(e.hash) AS hash, sum(e.requests) AS requests, sum(e.slow) AS slow,
               sum(e.total_ms) AS total_ms, max(e.max_ms) AS max_ms, sum(e.histogram) AS histogram
        FROM (SELECT p.ten, p.service, e.key AS endpoint, r.h AS hash, r.n AS requests, r.slow, r.sum AS total_ms,
                     r.max AS max_ms, NULL::numeric AS histogram
              FROM picked p CROSS JOIN jsonb_each(p.latency) e CROSS JOIN jsonb_to_record(e.value) AS r (
                   h bigint, n bigint, slow bigint, sum numeric, max numeric)
              UNION ALL
              SELECT p.ten, p.service, unnest(p.endpoints), NULL, NULL, NULL, NULL, NULL, unnest(p.histograms) FROM picked p
              UNION ALL
              SELECT c.ten, c.service, c.key, NULL, NULL, NULL, NULL, NULL, cumulate(sum(c.counts))
              FROM (SELECT p.ten, p.service, e.key, (sum(b.c) || 'e' || bucket_place(b.k))::numeric AS counts
                    FROM picked p CROSS JOIN jsonb_each(p.latency) e CROSS JOIN unnest(
                         string_to_array(e.value ->> 'k', ' ')::integer[], string_to_array(e.value ->> 'c', ' ')::bigint[]) b (k, c)
                    WHERE p.endpoints IS NULL
                    GROUP BY p.ten, p.service, e.key, b.k) c
              GROUP BY c.ten, c.service, c.key) e
        GROUP BY e.ten, e.service, e.endpoint),
    added AS (
        SELECT block_start(t.ten, w) AS timestamp, w AS window_seconds, t.* FROM tens t CROSS JOIN unnest(widths) w),
    old AS (
        DELETE FROM log_endpoints o
        USING (SELECT DISTINCT a.timestamp, a.window_seconds, a.service FROM added a) b
        WHERE o.timestamp = b.timestamp AND o.window_seconds = b.window_seconds AND o.service IS NOT DISTINCT FROM b.service
        RETURNING o.*),
    parts AS (
        SELECT a.timestamp, a.window_seconds, a.service, a.endpoint, a.hash, a.requests, a.slow, a.total_ms, a.max_ms, a.histogram
        FROM added a
        UNION ALL
        SELECT o.timestamp, o.window_seconds, o.service, unnest(o.endpoints), unnest(o.hashes), unnest(o.requests),
               unnest(o.slow), unnest(o.total_ms), unnest(o.max_ms), unnest(o.histograms)
        FROM old o),
    merged AS (
        SELECT p.timestamp, p.window_seconds, p.service, p.endpoint, min(p.hash) AS hash, sum(p.requests) AS requests,
               sum(p.slow) AS slow, sum(p.total_ms) AS total_ms, max(p.max_ms) AS max_ms, sum(p.histogram) AS histogram
        FROM parts p GROUP BY p.timestamp, p.window_seconds, p.service, p.endpoint),
    ranked AS (
        SELECT m.*, m.endpoint <> 'other' AND row_number() OVER (
                   PARTITION BY m.timestamp, m.window_seconds, m.service ORDER BY m.endpoint = 'other', m.hash, m.endpoint) <= 200 AS own
        FROM merged m),
    capped AS (
        SELECT r.timestamp, r.window_seconds, r.service, CASE WHEN r.own THEN r.endpoint ELSE 'other' END AS endpoint,
               min(r.hash) FILTER (WHERE r.own) AS hash, sum(r.requests)::bigint AS requests, sum(r.slow)::bigint AS slow,
               sum(r.total_ms) AS total_ms, max(r.max_ms) AS max_ms, sum(r.histogram) AS histogram
        FROM ranked r GROUP BY r.timestamp, r.window_seconds, r.service, CASE WHEN r.own THEN r.endpoint ELSE 'other' END)
    INSERT INTO log_endpoints (timestamp, window_seconds, service, endpoints, hashes, requests, slow, total_ms, max_ms, histograms)
    SELECT c.timestamp, c.window_seconds, c.service, array_agg(c.endpoint ORDER BY c.endpoint),
           array_agg(c.hash ORDER BY c.endpoint), array_agg(c.requests ORDER BY c.endpoint), array_agg(c.slow ORDER BY c.endpoint),
           array_agg(c.total_ms ORDER BY c.endpoint), array_agg(c.max_ms ORDER BY c.endpoint),
           array_agg(c.histogram ORDER BY c.endpoint)
    FROM capped c GROUP BY c.timestamp, c.window_seconds, c.service;
END $$;

-- How many requests of a packed histogram are in buckets above one; NULL counts all.
CREATE OR REPLACE FUNCTION latency_above(histogram numeric, bucket integer DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    place integer; -- of the digits of a bucket
    n     numeric;
BEGIN
    IF bucket >= 200 THEN
        place := 12 * (least(bucket, 10000) - 200);
        RETURN (trunc(histogram, -place) - trunc(histogram, -place - 12)) * ('1e-' || place)::numeric;
    END IF;
    n := trunc(histogram) - trunc(histogram, -12) + (trunc(histogram, 12) - trunc(histogram)) * 1000000000000;
    IF bucket IS NULL THEN
        RETURN n;
    END IF;
    place := 12 * (201 - greatest(bucket, -1040));
    RETURN n - (trunc(histogram, place) - trunc(histogram, place - 12)) * ('1e' || place)::numeric;
END $$;

-- How many requests a packed histogram has, and the bucket of each quantile: that of the request that percentile_disc would
-- name, and how many are in buckets above. What numeric_send makes of it is searched by halving, six bytes a bucket.
CREATE OR REPLACE FUNCTION latency_buckets(histogram numeric, quantiles double precision[], OUT requests bigint,
                                           OUT buckets integer[], OUT above bigint[])
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    sums    bytea := numeric_send(histogram);
    weight constant integer := ((256 * get_byte(sums, 2) + get_byte(sums, 3) + 3) & 65535) - 3; -- of the first four digits
    slower constant integer := (weight + 3) / 3; -- how many places are before the point
    places  integer;
    highest integer; -- bit of a number of places
    n_above bigint := 0; -- requests before the point
    n_below bigint := 0;
    sought  bytea;
    place   integer;
    k       integer; -- where the number of a place begins
    counted bigint;
    q       double precision;
BEGIN
    -- Four digits are two bytes. Zeros are not sent at the end, nor at the beginning.
    sums := substr('\x00000000'::bytea, 1, 2 * (3 * slower - 1 - weight)) || substr(sums, 9) || '\x00000000'::bytea;
    places := (octet_length(sums) + 1) / 6;
    highest := CASE WHEN places < 512 THEN 8 ELSE 14 END;
    IF slower > 0 THEN
        place := 6 * slower - 6;
        n_above := (256 * get_byte(sums, place) + get_byte(sums, place + 1)) * 100000000::bigint
                 + (256 * get_byte(sums, place + 2) + get_byte(sums, place + 3)) * 10000 + 256 * get_byte(sums, place + 4)
                 + get_byte(sums, place + 5);
    END IF;
    IF slower < places THEN
        place := 6 * slower;
        n_below := (256 * get_byte(sums, place) + get_byte(sums, place + 1)) * 100000000::bigint
                 + (256 * get_byte(sums, place + 2) + get_byte(sums, place + 3)) * 10000 + 256 * get_byte(sums, place + 4)
                 + get_byte(sums, place + 5);
    END IF;
    requests := n_above + n_below;
    FOREACH q IN ARRAY quantiles LOOP
        counted := greatest(ceil(q * requests), 1);
        IF counted > n_below THEN -- place becomes the number of places with fewer requests than there are from this one on
            sought := substr(numeric_send((1000000000001 + requests - counted)::numeric) || '\x000000000000'::bytea, 11, 6);
            place := 0;
            FOR i IN REVERSE highest..0 LOOP
                IF place + (1 << i) <= slower AND substr(sums, 6 * (place + (1 << i)) - 5, 6) < sought THEN
                    place := place + (1 << i);
                END IF;
            END LOOP;
            buckets := buckets || 200 + slower - place;
            k := 6 * place - 6;
            counted := 0;
        ELSE -- the number of places with as many requests at least as there are up to this one
            sought := substr(numeric_send((1000000000000 + counted)::numeric) || '\x000000000000'::bytea, 11, 6);
            place := slower;
            FOR i IN REVERSE highest..0 LOOP
                IF place + (1 << i) <= places AND substr(sums, 6 * (place + (1 << i)) - 5, 6) >= sought THEN
                    place := place + (1 << i);
                END IF;
            END LOOP;
            buckets := buckets || CASE 201 + slower - place WHEN -1040 THEN -2147483648 ELSE 201 + slower - place END;
            k := 6 * place - 6;
            counted := requests;
        END IF;
        IF place > 0 THEN
            counted := abs(counted - (
                (256 * get_byte(sums, k) + get_byte(sums, k + 1)) * 100000000::bigint
                + (256 * get_byte(sums, k + 2) + get_byte(sums, k + 3)) * 10000 + 256 * get_byte(sums, k + 4) + get_byte(sums, k + 5)));
        END IF;
        above := above || counted;
    END LOOP;
END $$;

-- What is stored becomes cumulative. No compactor is at work meanwhile, with functions of before; writers need not wait.
SELECT pg_advisory_xact_lock(hashtext('logflume compaction'), 'log_analytics'::regclass::oid::integer);
LOCK TABLE log_endpoints IN ACCESS EXCLUSIVE MODE;
UPDATE log_endpoints e
SET histograms = ARRAY(SELECT cumulate(h.counts) FROM unnest(e.histograms) WITH ORDINALITY h (counts, i) ORDER BY h.i);
UPDATE log_analytics a
SET packed_overall = cumulate(a.packed_overall),
    histograms = CASE WHEN a.histograms IS NOT NULL THEN
        ARRAY(SELECT cumulate(h.counts) FROM unnest(a.histograms) WITH ORDINALITY h (counts, i) ORDER BY h.i) END
WHERE a.packed_overall IS NOT NULL OR a.histograms IS NOT NULL;
