package postgres

import "context"

// until runs work for a part of the sink until it succeeds, its error cannot pass, or ctx ends; it returns that error,
// or ctx's.
//
// A fault of login, rights or schema cannot pass when it is the first thing the part meets: whoever started the
// program is told at once. Later on, and after [Sink.Checked], it is waited for like everything else, for somebody is
// repairing it.
func (s *Sink) until(ctx context.Context, part string, c *client, work func(context.Context) error) error {
	wait := newRetry(&s.pace)
	for {
		err := s.once(ctx, work)
		if err == nil {
			s.state.worked(part)
			return nil
		}
		c.rollback(ctx)
		if Classify(err) == BadRow {
			return err // there are no rows here: an argument is wrong, and stays so
		}
		if err := s.again(ctx, part, c, wait, err); err != nil {
			return err
		}
	}
}

// once runs one try, bounded in time.
func (s *Sink) once(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.pace.call)
	defer cancel()
	return work(ctx)
}

// again waits until it is time for another try after err. It returns an error when there is to be none.
func (s *Sink) again(ctx context.Context, part string, c *client, wait retry, err error) error {
	if ctx.Err() != nil {
		s.state.gaveUp(part)
		return ctx.Err()
	}
	class := Classify(err)
	switch {
	case class == Misconfigured && !s.state.isProven(part):
		return err
	case class == ReadOnly:
		c.close() // a standby stays one: the next connection may be to another server
	}
	s.state.failed(part, err)
	if err := wait.wait(ctx, class); err != nil {
		s.state.gaveUp(part)
		return err
	}
	return nil
}
