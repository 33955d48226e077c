-- The files that a log is rotated through share the limit of dead letters: this finds those that have any. It names no
-- column that a flush without dead letters changes, so that such updates stay within their page.
CREATE INDEX log_positions_dead ON log_positions (source_id) WHERE dead_bytes > 0;
