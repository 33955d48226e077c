package pipeline

import (
	"context"
	"sync"
	"sync/atomic"
)

const (
	minBlock = 16 << 10
	maxBlock = 256 << 10

	// A batch is charged this many times its arena before it is read: raw bytes, decoded text and events, and COPY
	// bytes. What it holds beyond that is charged when the workers are done with it.
	chargeFactor = 4

	// A workspace with room for so few events is never too large.
	minEvents = 64
)

// An Intake hands empty batches to sources, within the budget, and takes full ones.
type Intake struct {
	Checkpoints Checkpoints
	Budget      *Budget
	Stats       *Stats

	work    chan *Batch   // to the workers
	ordered chan *Batch   // to the sink; the same batches in the same order
	sending chan struct{} // holds one token while a batch is put into both
	active  atomic.Int64

	batches    sync.Pool // of *Batch without a workspace
	workspaces sync.Pool // of *workspace
}

// NewIntake returns an intake whose channels hold depth batches each.
func NewIntake(c Checkpoints, budget *Budget, stats *Stats, depth int) *Intake {
	return &Intake{
		Checkpoints: c, Budget: budget, Stats: stats,
		work: make(chan *Batch, depth), ordered: make(chan *Batch, depth), sending: make(chan struct{}, 1),
	}
}

// BlockSize returns how many raw bytes a batch should hold now: clamp(budget / (4 × active streams), 16 KiB, 256 KiB).
func (in *Intake) BlockSize() int {
	return int(min(max(in.Budget.Limit()/(chargeFactor*max(in.active.Load(), 1)), minBlock), maxBlock))
}

// Active adds n to the number of streams that are being read, which decides the block size.
func (in *Intake) Active(n int) { in.active.Add(int64(n)) }

// Batch returns an empty batch of s whose arena holds at least size bytes, waiting for budget; where there are other
// streams, s gets at most half of it. The caller must not hold an unsent batch meanwhile: send first, then ask. It
// returns the fence's error if s is fenced, or ctx's.
func (in *Intake) Batch(ctx context.Context, s *Stream, size int) (*Batch, error) {
	charge := int64(size) * chargeFactor
	if err := s.waitAdmitted(ctx, in.share()-charge); err != nil {
		return nil, err
	}
	if err := in.Budget.Acquire(ctx, charge); err != nil {
		return nil, err
	}
	b, ok := in.batches.Get().(*Batch)
	if !ok {
		b = &Batch{intake: in, done: make(chan struct{}, 1), wanted: make(chan struct{}, 1)}
	}
	// One that is far too large goes too: thousands of sources may wait for their turn with a small batch each.
	if has := cap(b.Arena); has < size || has > max(4*size, minBlock) {
		b.Arena = make([]byte, 0, size)
		b.Lines, b.Envelopes = nil, nil
	}
	b.Stream, b.charged = s, charge
	s.hold(charge)
	return b, nil
}

// share returns how much of the budget one stream may hold: all of it when it is alone, else half, so that a stream
// which cannot be committed leaves room for others.
func (in *Intake) share() int64 {
	if in.active.Load() <= 1 {
		return in.Budget.Limit()
	}
	return in.Budget.Limit() / 2
}

// Send hands b to the pipeline. It returns the fence's error if b's stream is fenced, or ctx's; b is then released.
func (in *Intake) Send(ctx context.Context, b *Batch) error {
	if err := b.Stream.Err(); err != nil {
		b.Release()
		return err
	}
	select {
	case in.sending <- struct{}{}:
		defer func() { <-in.sending }()
	case <-ctx.Done():
		b.Release()
		return ctx.Err()
	}
	select {
	case in.ordered <- b:
	case <-ctx.Done():
		b.Release()
		return ctx.Err()
	}
	in.work <- b // b is promised to the sink now; workers make room as long as the sink asks for batches
	return nil
}

// admit waits while the budget is overdrawn, unless the sink waits for b: so lines that turn into far more memory than
// their source foresaw, arrays of thousands of tiny objects, overdraw it by one batch a worker and not by all that are
// queued. Workers hold the oldest unfinished batches, hence also the one that the sink waits for.
func (in *Intake) admit(ctx context.Context, b *Batch) error {
	within := in.Budget.within()
	if within == nil {
		return nil
	}
	select {
	case <-within:
		return nil
	case <-b.wanted:
		return nil
	case <-ctx.Done(): // the sink has given up
		return ctx.Err()
	}
}

// equip gives b the memory that its stages fill.
func (in *Intake) equip(b *Batch) {
	w, ok := in.workspaces.Get().(*workspace)
	if !ok {
		w = &workspace{}
	}
	b.attach(w)
}

// finished settles what the batch really holds and lets the sink have it.
func (in *Intake) finished(b *Batch) {
	if held := b.size(); held > b.charged {
		in.Budget.Charge(held - b.charged)
		b.Stream.hold(held - b.charged)
		b.charged = held
	}
	b.done <- struct{}{}
}

// release returns the batch's memory and its budget. What one long line or one large array made grow far beyond what
// an ordinary block needs is left to the garbage collector, and so is what was far too large for this batch: or one busy
// source would in time make the memory of all as large as its own.
func (in *Intake) release(b *Batch) {
	charged, stream := b.charged, b.Stream
	lean := cap(b.Events) <= 4*len(b.Events)+minEvents
	if w := b.detach(); w != nil && lean && w.size() <= 2*chargeFactor*maxBlock {
		in.workspaces.Put(w)
	}
	if b.reset(); b.size() <= 2*maxBlock {
		in.batches.Put(b)
	}
	in.Budget.Charge(-charged)
	stream.hold(-charged)
}

func (in *Intake) close() {
	close(in.work)
	close(in.ordered)
}
