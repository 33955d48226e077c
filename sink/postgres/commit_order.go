//go:build !control_position_first && !control_rows_first

package postgres

import "context"

// run commits the lanes whose positions can be moved: positions and rows in one transaction.
func (t *transaction) run(ctx context.Context) error {
	if err := t.move(ctx); err != nil {
		return err
	}
	if len(t.passed) == 0 {
		t.committer.conn.rollback(ctx)
		return nil
	}
	if err := t.store(ctx); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	t.done()
	return nil
}
