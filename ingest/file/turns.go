package file

import "context"

// turns let as many go on at once as the channel holds. Nil ones let everybody.
type turns chan struct{}

// enter waits for a turn. It returns ctx's error if that ends first.
func (t turns) enter(ctx context.Context) error {
	if t == nil {
		return nil
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the turn back.
func (t turns) leave() {
	if t != nil {
		<-t
	}
}
