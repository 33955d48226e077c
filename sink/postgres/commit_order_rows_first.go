//go:build control_rows_first

package postgres

import "context"

// run is deliberately wrong: it commits the rows and then, in another transaction, the positions. A crash between the
// two stores rows twice. The test that counts lines must find that; if it does not, the test is worth nothing.
func (t *transaction) run(ctx context.Context) error {
	t.passed = t.lanes
	if err := t.begin(ctx); err != nil {
		return err
	}
	if err := t.store(ctx); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	if err := t.between(ctx); err != nil {
		return err
	}
	if err := t.move(ctx); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	t.done()
	return nil
}
