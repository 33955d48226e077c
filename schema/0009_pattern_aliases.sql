-- Aliases of patterns. Words that vary and look like no value, names of users and queues, leave many patterns of one
-- message. A writer finds such by comparing all patterns of the fleet in log_patterns, and stores what it finds here. Rows
-- keep the id they were written with; queries resolve it.

-- What stands for a pattern. A row with from_id = to_id says that the pattern stands for nothing but itself, for good: its
-- merge was found wrong.
CREATE TABLE log_pattern_aliases (
    from_id    bigint      PRIMARY KEY,            -- pattern_id as rows have it
    to_id      bigint      NOT NULL,               -- id of the pattern that stands for it, which need not be in log_patterns
    pattern    text        NOT NULL,               -- its text
    evidence   integer     NOT NULL,               -- how many patterns it stands for
    first_seen timestamptz NOT NULL DEFAULT now()  -- when the alias was found
);
CREATE INDEX log_pattern_aliases_to ON log_pattern_aliases (to_id);

-- One at a time changes aliases; others wait for the end of its transaction.
CREATE FUNCTION lock_aliases() RETURNS void
LANGUAGE sql VOLATILE SET search_path FROM CURRENT
AS $$ SELECT pg_advisory_xact_lock(hashtext('logflume aliases'), 'log_pattern_aliases'::regclass::oid::integer) $$;

-- Makes these the aliases there are, and returns how many rows that changed. What was set apart meanwhile stays so.
CREATE FUNCTION store_aliases(from_ids bigint[], to_ids bigint[], patterns text[], evidences integer[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    gone  integer;
    found integer;
BEGIN
    PERFORM lock_aliases();
    DELETE FROM log_pattern_aliases WHERE from_id <> to_id AND from_id <> ALL (coalesce(from_ids, '{}'));
    GET DIAGNOSTICS gone = ROW_COUNT;
    INSERT INTO log_pattern_aliases AS a (from_id, to_id, pattern, evidence)
    SELECT n.* FROM unnest(from_ids, to_ids, patterns, evidences) n (from_id, to_id, pattern, evidence)
    WHERE n.from_id <> n.to_id
      AND NOT EXISTS (SELECT FROM log_pattern_aliases r WHERE r.from_id = r.to_id AND r.from_id IN (n.from_id, n.to_id))
    ON CONFLICT (from_id) DO UPDATE SET to_id = excluded.to_id, pattern = excluded.pattern, evidence = excluded.evidence
    WHERE (a.to_id, a.pattern, a.evidence) IS DISTINCT FROM (excluded.to_id, excluded.pattern, excluded.evidence);
    GET DIAGNOSTICS found = ROW_COUNT;
    RETURN gone + found;
END $$;

-- Undoes a merge: the patterns that this one stands for stand for themselves again, at once and for good. Of a pattern that
-- is not a merged one it says that it shall never be merged. Returns how many patterns were set apart.
CREATE FUNCTION unmerge_pattern(id bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
    masked text;
    apart  integer;
BEGIN
    PERFORM lock_aliases();
    SELECT a.pattern INTO masked FROM log_pattern_aliases a WHERE a.to_id = unmerge_pattern.id LIMIT 1;
    IF NOT FOUND THEN
        SELECT p.pattern INTO masked FROM log_patterns p WHERE p.pattern_id = unmerge_pattern.id;
    END IF;
    IF masked IS NULL THEN
        RAISE EXCEPTION 'there is no pattern %', unmerge_pattern.id USING ERRCODE = 'invalid_parameter_value';
    END IF;
    DELETE FROM log_pattern_aliases a WHERE unmerge_pattern.id IN (a.from_id, a.to_id);
    GET DIAGNOSTICS apart = ROW_COUNT;
    INSERT INTO log_pattern_aliases (from_id, to_id, pattern, evidence)
    VALUES (unmerge_pattern.id, unmerge_pattern.id, masked, 0);
    RETURN apart;
END $$;

-- Takes unmerge_pattern back: the pattern may be merged again, which happens when aliases are looked for next. True if it
-- had been set apart.
CREATE FUNCTION remerge_pattern(id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
    PERFORM lock_aliases();
    DELETE FROM log_pattern_aliases a WHERE a.from_id = remerge_pattern.id AND a.from_id = a.to_id;
    RETURN FOUND;
END $$;

REVOKE EXECUTE ON FUNCTION lock_aliases, store_aliases, unmerge_pattern, remerge_pattern FROM PUBLIC;
