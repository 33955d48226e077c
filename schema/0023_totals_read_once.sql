-- Counts are read from the totals of a row at once: these are stored beside the row, and were fetched for each of them.

-- Shares of errors among events, and of failures among requests, by service.
CREATE OR REPLACE FUNCTION error_rate(since timestamptz, until timestamptz, only_service text DEFAULT NULL)
RETURNS TABLE (service text, logs bigint, errors bigint, error_rate double precision, requests bigint, failed bigint,
               failure_rate double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    SELECT s.service, s.logs, s.errors, s.errors / nullif(s.logs, 0)::double precision, s.requests, s.failed,
           s.failed / nullif(s.requests, 0)::double precision
    FROM (SELECT w.service, coalesce(sum(t.total_logs), 0)::bigint AS logs,
                 coalesce(sum(t.total_errors), 0)::bigint AS errors,
                 coalesce(sum(t.requests), 0)::bigint AS requests,
                 coalesce(sum(t.failed), 0)::bigint AS failed
          FROM rollups_between(since, until) w CROSS JOIN jsonb_to_record(w.totals) AS t (
               total_logs bigint, total_errors bigint, requests bigint, failed bigint)
          WHERE only_service IS NULL OR w.service = only_service
          GROUP BY w.service) s
    ORDER BY s.service;
END;

-- Events and requests by service and step of time. Steps of whole days read day rows, of whole hours hour rows; shorter ones
-- read minute rows, which a retention keeps for a week. Steps in which a service logged nothing have no row.
CREATE OR REPLACE FUNCTION request_rate(since timestamptz, until timestamptz, step interval DEFAULT '1 minute',
                                        only_service text DEFAULT NULL)
RETURNS TABLE (at timestamptz, service text, logs bigint, errors bigint, requests bigint, failed bigint, slow bigint,
               requests_per_second double precision)
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH rows AS (
        SELECT a.timestamp, a.service, a.totals FROM rollups_between(since, until) a
        WHERE extract(epoch FROM step)::bigint % 86400 = 0
        UNION ALL
        SELECT a.timestamp, a.service, a.totals FROM analytics_between(since, until) a
        WHERE extract(epoch FROM step)::bigint % 86400 <> 0 AND extract(epoch FROM step)::bigint % 3600 = 0
        UNION ALL
        SELECT a.timestamp, a.service, a.totals FROM log_analytics a
        WHERE extract(epoch FROM step)::bigint % 3600 <> 0
          AND a.window_seconds < 3600 AND a.timestamp >= since AND a.timestamp < until)
    SELECT date_bin(step, r.timestamp, '2000-01-01 00:00:00+00') AS bin, r.service,
           sum(t.total_logs)::bigint, sum(t.total_errors)::bigint,
           sum(t.requests)::bigint, sum(t.failed)::bigint,
           sum(t.slow_requests)::bigint,
           sum(t.requests)::double precision / extract(epoch FROM step)::double precision
    FROM rows r CROSS JOIN jsonb_to_record(r.totals) AS t (
         total_logs bigint, total_errors bigint, requests bigint, failed bigint, slow_requests bigint)
    WHERE only_service IS NULL OR r.service = only_service
    GROUP BY bin, r.service ORDER BY bin, r.service;
END;
