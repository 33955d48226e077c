package pipeline

import "context"

// A Source reads one kind of input. For every stream it opens it takes a Checkpoint, makes a [Stream], and sends
// batches that follow each other without a gap: the From of each is the To of the one before, the first starts at the
// checkpoint's position. When a stream is fenced the source stops sending for it, and only then makes a new Stream
// from the stored row.
type Source interface {
	// Run reads until ctx ends or the input does. It returns nil in both cases: what can pass (an unreadable file, a
	// database that is away) is logged and tried again, what cannot ends the program.
	Run(ctx context.Context, in *Intake) error
}

// A Processor is one stage for whole batches: it fills or changes b.Events, b.Dead and b.Rows in place. It belongs to
// one worker, so it may keep scratch memory; it never blocks.
type Processor interface {
	Process(b *Batch)
}

// A Sink makes batches durable.
type Sink interface {
	// Run takes batches in the order in which each stream sent them, waits for each one's [Batch.Done], commits, calls
	// [Stream.Commit] or [Stream.Fence], and releases. When in is closed it commits what is left and returns nil. It
	// retries what can pass for as long as ctx lasts; when ctx ends it gives up at once: nothing uncommitted is lost,
	// since positions did not move.
	Run(ctx context.Context, in <-chan *Batch) error
}

// An Aggregate computes the share of a segment (one flush's batches of one stream) in the analysis windows. Batches
// are added in order; the sink's goroutine is its only user.
type Aggregate interface {
	Add(b *Batch)
	// Rows calls yield for each (window, service) touched since the last Reset; the row is valid during the call.
	Rows(yield func(*Share))
	Reset()
}

// A Share is a row of log_analytics: what one segment adds to one window of one service.
type Share struct {
	Window            int64 // start
	Seconds           int32 // width
	Service           string
	ErrorPatterns     []byte // jsonb
	PerformanceIssues []byte // jsonb
	Summary           []byte // jsonb
}
