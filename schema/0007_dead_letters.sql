-- Dead letters can be named, and taken back: what is parsed after all moves its lines from dead to kept, or filtered.

ALTER TABLE log_dead_letters
    ADD letter_id bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ADD event     integer,                        -- index in its line of the event that Postgres refused; NULL: no event
    ADD lines     integer NOT NULL DEFAULT 1;     -- lines counted in log_positions.dead that go with this letter

-- Of these nobody knows which event of the line they were.
UPDATE log_dead_letters SET lines = 0 WHERE sqlstate IS NOT NULL;
