//go:build control_position_first

package postgres

import "context"

// run is deliberately wrong: it commits the positions and then, in another transaction, the rows. A crash between the
// two loses rows. The test that counts lines must find that; if it does not, the test is worth nothing.
func (t *transaction) run(ctx context.Context) error {
	if err := t.move(ctx); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	if err := t.between(ctx); err != nil {
		return err
	}
	if err := t.begin(ctx); err != nil {
		return err
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
