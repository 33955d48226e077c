-- Tables. Names and order of columns are a contract: writers name them in COPY, dashboards in queries.

-- One row per kept event. Wide columns first, so that rows need no padding.
CREATE TABLE log_events (
    timestamp     timestamptz NOT NULL,           -- the event's own time; decides the partition
    pattern_id    bigint,                         -- log_patterns.pattern_id of its normalised message
    source_offset bigint      NOT NULL,           -- byte in the file, or offset in the topic partition, of its line
    response_time real,                           -- milliseconds
    source_id     integer     NOT NULL,           -- log_positions.source_id
    status        smallint,                       -- HTTP status
    slow          boolean     NOT NULL DEFAULT false,
    level         text,                           -- TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL
    service       text,
    hostname      text,
    logger        text,
    endpoint      text,                           -- route: /users/{n}
    method        text,
    message       text,
    exception     text,
    trace_id      text,
    user_id       text,
    tenant_id     text,
    client_ip     inet,
    location      text,
    browser       text,
    attrs         jsonb       NOT NULL DEFAULT '{}'  -- everything that has no column of its own
) PARTITION BY RANGE (timestamp);

-- Together these three cost ingestion what no index costs, about 3 bytes a row: rows arrive in the order of time, and
-- the events of one trace are neighbours.
CREATE INDEX log_events_timestamp ON log_events USING brin (timestamp)
    WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX log_events_trace ON log_events
    USING brin (trace_id text_bloom_ops (n_distinct_per_range = 400, false_positive_rate = 0.01))
    WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX log_events_errors ON log_events (timestamp DESC) WHERE level IN ('ERROR', 'CRITICAL');

-- What events add to windows of time. Writers only insert: each flush adds its own share of every (window, service) it
-- touched. compact() folds the shares of a window into one row and rolls closed hours up into rows of 3600 seconds.
-- A minute row that is contained in an hour row is rolled, and so are hour rows themselves. Hence
--     window_seconds < 3600                 counts every event once, as long as minute rows are kept
--     window_seconds = 3600 OR NOT rolled   counts every event once
-- and a query without either condition counts twice.
CREATE TABLE log_analytics (
    timestamp          timestamptz NOT NULL,      -- start of the window
    window_seconds     integer     NOT NULL,      -- its width
    service            text,
    share              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rolled             boolean     NOT NULL DEFAULT false,
    error_patterns     jsonb       NOT NULL DEFAULT '[]',
    performance_issues jsonb       NOT NULL DEFAULT '[]',
    summary            jsonb       NOT NULL DEFAULT '{}',
    CONSTRAINT window_divides_hour CHECK (window_seconds > 0 AND 3600 % window_seconds = 0),
    CONSTRAINT only_rolled_hours CHECK (window_seconds < 3600 OR rolled),
    CONSTRAINT json_shapes CHECK (jsonb_typeof(error_patterns) = 'array'
        AND jsonb_typeof(performance_issues) = 'array' AND jsonb_typeof(summary) = 'object')
);
CREATE INDEX log_analytics_minutes ON log_analytics (timestamp) WHERE window_seconds < 3600;
CREATE INDEX log_analytics_hours ON log_analytics (timestamp) WHERE window_seconds = 3600;
CREATE INDEX log_analytics_unrolled ON log_analytics (timestamp, share) WHERE NOT rolled;

COMMENT ON TABLE log_analytics IS
    'Windows of analysis. Always filter: window_seconds < 3600, or (window_seconds = 3600 OR NOT rolled); '
    'without either, events are counted twice. analytics_between(since, until) does it for you.';

-- How far each source is durable, and what became of its lines. Moved in the transaction that stores the rows.
-- No moving column is indexed and half of each page is left free, so that updates are HOT.
CREATE TABLE log_positions (
    source_id     integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_key    text        COLLATE "C" NOT NULL UNIQUE,
    epoch         bigint      NOT NULL DEFAULT 0,
    position      bigint      NOT NULL DEFAULT 0,
    lines         bigint      NOT NULL DEFAULT 0,
    kept          bigint      NOT NULL DEFAULT 0,
    filtered      bigint      NOT NULL DEFAULT 0,
    dead          bigint      NOT NULL DEFAULT 0,
    events        bigint      NOT NULL DEFAULT 0,
    analysed      bigint      NOT NULL DEFAULT 0,
    bytes         bigint      NOT NULL DEFAULT 0,
    lost_bytes    bigint      NOT NULL DEFAULT 0,
    lost_messages bigint      NOT NULL DEFAULT 0,
    meta          jsonb       NOT NULL DEFAULT '{}',
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT every_line_once CHECK (lines = kept + filtered + dead)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Writers that are or were alive: a heartbeat each.
CREATE TABLE log_instances (
    instance   text        COLLATE "C" PRIMARY KEY,
    host       text        NOT NULL,
    version    text        NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    sources    jsonb       NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);

-- Every pattern once, inserted by the writer that met it first; never updated.
CREATE TABLE log_patterns (
    pattern_id bigint      PRIMARY KEY,
    pattern    text        NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(), -- when it was inserted, not the event's time
    sample     text
);

-- Errors by pattern in all hours that are rolled up; the view error_totals adds the rest. Only compact() writes here.
CREATE TABLE log_pattern_totals (
    pattern_id bigint      PRIMARY KEY,
    level      text,
    total      bigint      NOT NULL,
    services   text[]      NOT NULL DEFAULT '{}', -- sorted; the first hundred
    last_seen  timestamptz                        -- time of the latest event
) WITH (fillfactor = 80);

-- Lines, or rows made of them, that could not be stored.
CREATE TABLE log_dead_letters (
    received_at   timestamptz NOT NULL DEFAULT now(),
    source_id     integer     NOT NULL,
    source_offset bigint      NOT NULL,
    reason        text        NOT NULL,
    sqlstate      text,                           -- when Postgres refused the row
    raw           bytea       NOT NULL,           -- the line, or its head
    truncated     boolean     NOT NULL DEFAULT false,
    length        bigint      NOT NULL            -- bytes of the whole line
);
CREATE INDEX log_dead_letters_received ON log_dead_letters USING brin (received_at) WITH (autosummarize = on);

DO $$
BEGIN
    ALTER TABLE log_events
        ALTER message SET COMPRESSION lz4, ALTER exception SET COMPRESSION lz4, ALTER attrs SET COMPRESSION lz4;
    ALTER TABLE log_analytics
        ALTER error_patterns SET COMPRESSION lz4, ALTER performance_issues SET COMPRESSION lz4,
        ALTER summary SET COMPRESSION lz4;
    ALTER TABLE log_dead_letters ALTER raw SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL; -- a server built without lz4 compresses its own way
END $$;

-- What became of every line of every source.
CREATE VIEW source_ledger AS
SELECT source_id, source_key, meta ->> 'path' AS path, position, lines, kept, filtered, dead,
       lines = kept + filtered + dead AS balanced,
       events, analysed, bytes, lost_bytes, lost_messages,
       coalesce(meta -> 'closed' = 'true', false) AS closed, updated_at
FROM log_positions;
