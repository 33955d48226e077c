package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// A store is the database, and beside it the file with the positions of what is in there.
type store struct {
	conn      *pgx.Conn
	path      string           // of the positions
	positions map[string]int64 // by path of the log
}

func openStore(url, schema, path string) (*store, error) {
	s := &store{path: path, positions: map[string]int64{}}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &s.positions)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	if s.conn, err = pgx.Connect(context.Background(), url); err != nil {
		return nil, err
	}
	_, err = s.conn.Exec(context.Background(), "set search_path = "+pgx.Identifier{schema}.Sanitize())
	return s, err
}

// save writes the positions of what is stored.
func (s *store) save() error {
	text, err := json.Marshal(s.positions)
	if err != nil {
		return err
	}
	temporary := s.path + ".new"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, s.path)
}

// entry is what a service writes in a line.
type entry struct {
	Time    time.Time `json:"time"`
	Msg     string    `json:"msg"`
	Logger  string    `json:"logger"`
	Writer  string    `json:"writer"`
	N       int64     `json:"n"`
	TraceID string    `json:"trace_id"`
}

// insert stores lines in one transaction. What is no entry is left out.
func (s *store) insert(lines []line) error {
	if len(lines) == 0 {
		return nil
	}
	ctx := context.Background()
	return pgx.BeginFunc(ctx, s.conn, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		b.Queue("select ensure_partition(now())")
		for _, l := range lines {
			var e entry
			if json.Unmarshal([]byte(l.text), &e) == nil {
				s.queue(b, l, e)
			}
			s.positions[l.path] = l.end
		}
		return tx.SendBatch(ctx, b).Close()
	})
}

func (s *store) queue(b *pgx.Batch, l line, e entry) {
	b.Queue(`with source as (
			insert into log_positions as p (source_key, position, lines, kept, events) values ('file:' || $1::text, $2, 1, 1, 1)
			on conflict (source_key) do update
				set position = excluded.position, lines = p.lines + 1, kept = p.kept + 1, events = p.events + 1
			returning source_id
		)
		insert into log_events (timestamp, source_id, source_offset, logger, trace_id, message, attrs)
		select $3, source_id, $2, $4, $5, $6, jsonb_build_object('n', $7::bigint, 'writer', $8::text) from source`,
		l.path, l.end, e.Time, e.Logger, e.TraceID, e.Msg, e.N, e.Writer)
}
