-- What the dead letters of each source take now, so that a flood can be stopped: the bytes that are kept of the lines,
-- and 100 for each row. Kept by triggers, so that it is right whoever deletes. A writer's own COPY changes a row that its
-- transaction has locked already.

ALTER TABLE log_positions ADD dead_bytes bigint NOT NULL DEFAULT 0;

UPDATE log_positions p SET dead_bytes = d.bytes
FROM (SELECT source_id, sum(octet_length(raw) + 100) AS bytes FROM log_dead_letters GROUP BY 1) d
WHERE p.source_id = d.source_id;

CREATE FUNCTION count_dead_letters() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    sources integer[];
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE log_positions SET dead_bytes = 0 WHERE dead_bytes <> 0;
        RETURN NULL;
    END IF;
    sources := ARRAY(SELECT DISTINCT source_id FROM changed);
    PERFORM FROM log_positions WHERE source_id = ANY (sources) ORDER BY source_id FOR UPDATE; -- in one order, as writers do
    UPDATE log_positions p SET dead_bytes = p.dead_bytes + CASE TG_OP WHEN 'INSERT' THEN c.bytes ELSE -c.bytes END
    FROM (SELECT source_id, sum(octet_length(raw) + 100) AS bytes FROM changed GROUP BY 1) c
    WHERE p.source_id = c.source_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION count_dead_letters FROM PUBLIC;

CREATE TRIGGER count_inserted AFTER INSERT ON log_dead_letters
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_dead_letters();
CREATE TRIGGER count_deleted AFTER DELETE ON log_dead_letters
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_dead_letters();
CREATE TRIGGER count_truncated AFTER TRUNCATE ON log_dead_letters
    FOR EACH STATEMENT EXECUTE FUNCTION count_dead_letters();
