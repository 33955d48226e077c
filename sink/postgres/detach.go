package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// The expired partitions with the statement that is due for each: one whose detaching was cut off has to be finished.
const expiredSQL = `
SELECT c.oid::regclass::text, CASE WHEN i.inhdetachpending THEN 'FINALIZE' ELSE 'CONCURRENTLY' END
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
CROSS JOIN substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''\)') AS upper
WHERE i.inhparent = to_regclass($2::text)
AND (i.inhdetachpending OR upper::timestamptz <= now() - $1::bigint * interval '1 microsecond')
ORDER BY 1`

// detachExpired detaches and drops expired partitions with the owner's connection. DETACH CONCURRENTLY waits for the
// readers of the partition without making anybody wait behind it; it cannot run inside a transaction.
func (s *Sink) detachExpired(ctx context.Context) error {
	defer s.owner.close()
	return s.once(ctx, func(ctx context.Context) error {
		if err := s.owner.connect(ctx); err != nil {
			return err
		}
		conn := s.owner.conn
		rows, err := conn.Query(ctx, expiredSQL, s.options.Retention.Microseconds(), s.sql.events)
		if err != nil {
			return fmt.Errorf("list expired partitions: %w", err)
		}
		type expired struct{ Name, How string }
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[expired])
		if err != nil {
			return fmt.Errorf("list expired partitions: %w", err)
		}
		for _, p := range all {
			detach := "ALTER TABLE " + s.sql.events + " DETACH PARTITION " + p.Name + " " + p.How
			if err := s.owner.exec(ctx, detach); err != nil {
				return fmt.Errorf("detach %s: %w", p.Name, err)
			}
			if err := s.owner.exec(ctx, "DROP TABLE "+p.Name); err != nil {
				return fmt.Errorf("drop %s: %w", p.Name, err)
			}
			s.options.Log.Info("expired data removed", "from", p.Name)
		}
		return nil
	})
}
