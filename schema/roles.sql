-- Three roles, of which none can do more than its part: log_owner owns the schema, log_writer is what run and import log
-- in as, log_reader is for dashboards. Roles belong to the whole server; schemas that were given to them share them. The
-- last two may log in once they have a password (\password log_writer) or a line in pg_hba.conf. Running this again is
-- harmless, and needed after an upgrade that brought new tables or functions.
--
-- Every role may make temporary tables and large objects in every database. That is left alone, since it concerns the
-- other users of the database; on a database that only logflume uses, close it as a superuser:
--     REVOKE TEMPORARY ON DATABASE … FROM PUBLIC;
--     REVOKE EXECUTE ON FUNCTION lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea), lo_import(text),
--         lo_import(text, oid) FROM PUBLIC;

SELECT pg_advisory_xact_lock(hashtext('logflume roles'), 0); -- grants of two sessions on one object would collide
SET LOCAL lock_timeout = '10s'; -- ownership needs exclusive locks; ingestion shall not queue behind them for long

DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES ('log_owner', 'NOLOGIN'), ('log_writer', 'LOGIN'), ('log_reader', 'LOGIN')) r (name, may)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.may);
                IF wanted.name = 'log_reader' THEN
                    ALTER ROLE log_reader SET default_transaction_read_only = on;
                    ALTER ROLE log_reader SET statement_timeout = '30s';
                    ALTER ROLE log_reader SET jit = off; -- it compiles for a second what takes some milliseconds
                END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another session made it just now
            END;
        END IF;
    END LOOP;
END $$;

DO $$
DECLARE
    object text;
BEGIN
    -- To give an object away one must be a member of its new owner; superusers are by nature.
    IF current_setting('is_superuser') = 'off' THEN
        BEGIN
            EXECUTE format('GRANT log_owner TO %I', current_user);
        EXCEPTION WHEN insufficient_privilege THEN
            NULL; -- a member made by somebody else; if not, what follows says so
        END;
    END IF;
    IF NOT has_database_privilege('log_owner', current_database(), 'CREATE') THEN
        EXECUTE format('GRANT CREATE ON DATABASE %I TO log_owner', current_database()); -- owning a schema requires it
    END IF;
    IF (SELECT nspowner <> 'log_owner'::regrole FROM pg_namespace WHERE nspname = current_schema()) THEN
        EXECUTE format('ALTER SCHEMA %I OWNER TO log_owner', current_schema());
    END IF;
    FOR object IN
        SELECT format('%s %s', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass)
        FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v') AND relowner <> 'log_owner'::regrole
        UNION ALL
        SELECT format('FUNCTION %s', oid::regprocedure)
        FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proowner <> 'log_owner'::regrole
    LOOP
        EXECUTE format('ALTER %s OWNER TO log_owner', object);
    END LOOP;
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', current_schema());
    EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM PUBLIC', current_schema());
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO log_writer, log_reader', current_schema());
END $$;

GRANT SELECT ON log_schema_versions TO log_writer, log_reader;

GRANT INSERT ON log_events, log_analytics, log_dead_letters TO log_writer;
GRANT SELECT, INSERT ON log_patterns TO log_writer;
GRANT SELECT ON log_pattern_aliases TO log_writer;
GRANT SELECT, INSERT, UPDATE ON log_instances TO log_writer;
GRANT SELECT, INSERT, UPDATE (epoch, position, lines, kept, filtered, dead, events, analysed, bytes, lost_bytes, lost_messages,
                              meta, updated_at) ON log_positions TO log_writer;
GRANT EXECUTE ON FUNCTION list_partitions, ensure_partition, ensure_partitions, drop_expired, compact, store_aliases,
                          unmerge_pattern, remerge_pattern TO log_writer;
GRANT EXECUTE ON FUNCTION pack_registers, pattern_numbers TO log_writer; -- columns of log_analytics compute with them

GRANT SELECT ON log_events, log_analytics, log_positions, log_instances, log_patterns, log_pattern_totals, log_pattern_aliases,
                log_dead_letters, log_endpoints, source_ledger, error_totals, merged_patterns TO log_reader;
GRANT EXECUTE ON FUNCTION list_partitions, latency_value, latency_above, latency_bucket, latency_buckets, bucket_place, cumulate,
                          unpack_registers, hll_estimate, merge_registers, analytics_between, rollups_between,
                          histograms_between, overall_between, block_start, next_block, block_runs, blocks_between, unblocked_between,
                          endpoint_histograms, classes_between, pattern_counts_between,
                          endpoints_between, errors_between,
                          top_errors, new_errors, total_errors, unique_error_patterns, error_rate, latency_quantiles,
                          slowest_endpoints, performance_issues, request_rate, unique_count, unique_users, active_tenants,
                          apdex, kpis, compare, resolve_pattern, pattern_cases, service_states TO log_reader;
