-- Every start of a process adds a row to log_instances, and without retention none ever went.

-- Deletes the instances that nobody has seen for 30 days, whenever there is a new one.
CREATE FUNCTION trim_instances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
    DELETE FROM log_instances WHERE instance IN (
        SELECT instance FROM log_instances WHERE seen_at < now() - interval '30 days'
        FOR UPDATE SKIP LOCKED); -- those that another new one deletes
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION trim_instances FROM PUBLIC;

-- For each row: a statement's trigger would also fire for heartbeats, which insert or update.
CREATE TRIGGER trim_instances AFTER INSERT ON log_instances FOR EACH ROW EXECUTE FUNCTION trim_instances();
