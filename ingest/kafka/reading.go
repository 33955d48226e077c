package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"

	"logflume/pipeline"
)

// A reading reads one partition from its stored position on, and sends what it reads. One goroutine uses it.
type reading struct {
	partition *partition
	stream    *pipeline.Stream
	notes     notes
	replaced  <-chan struct{}

	next int64 // offset of the next message to take
	sent int64 // position up to which batches were sent

	end, noted int64 // of the partition when the piece at hand was fetched, and as the last batch notes it; 0 if not known

	out     *pipeline.Batch // being filled; nil while there is none
	message message         // scratch
}

func newReading(p *partition, row pipeline.Checkpoint, n notes, replaced <-chan struct{}) *reading {
	return &reading{
		partition: p, stream: pipeline.NewStream(row), notes: n, replaced: replaced, next: row.Position, sent: row.Position,
		message: message{topic: p.topic, partition: p.partition},
	}
}

// begin moves the position to where reading begins, when that is not the beginning.
func (r *reading) begin(ctx context.Context) error {
	if r.next >= r.notes.Start {
		return nil
	}
	r.next = r.notes.Start
	return r.flush(ctx)
}

// run reads what is fetched until ctx ends, or something ends the reading.
func (r *reading) run(ctx context.Context) error {
	for {
		changed := r.stream.Changed()
		if err := r.stream.Err(); err != nil {
			return err
		}
		select {
		case piece := <-r.partition.pieces:
			err := r.takePiece(ctx, piece)
			r.partition.g.release(r.partition, piece)
			if err != nil {
				return err
			}
		case <-r.replaced:
			return errReplaced
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *reading) takePiece(ctx context.Context, p piece) error {
	switch {
	case p.reading != r: // of a former one, whose stream is fenced
		return nil
	case errors.Is(p.err, kafka.OffsetOutOfRange):
		return r.outOfRange(ctx)
	case p.err != nil:
		return p.err
	}
	in := r.partition.g.in
	in.Active(1)
	defer in.Active(-1)
	r.end = p.end
	err := r.read(ctx, p)
	return errors.Join(err, r.flush(ctx)) // what comes before a damaged batch is good
}

// outOfRange deals with a position at which the partition has nothing: retention has deleted what was there, or the
// partition is another than it was.
func (r *reading) outOfRange(ctx context.Context) error {
	g := r.partition.g
	start, end, err := g.cluster.bounds(ctx, g.leaderOf(r.partition), r.partition.topicPartition)
	switch {
	case err != nil:
		return err
	case r.next < start:
		err = r.pass(ctx, start)
	case r.next > end:
		return r.strand(ctx, end)
	}
	g.seek(r.partition, r.next)
	return err
}

// pass goes on at offset to, behind messages that are gone. In the ledger they are lost, not read.
func (r *reading) pass(ctx context.Context, to int64) error {
	r.partition.g.options.Log.Warn("messages were deleted before they could be read, by the topic's retention or by hand",
		"partition", r.partition.String(), "from", r.next, "to", to, "messages", to-r.next)
	if err := r.need(ctx, 0, forEver); err != nil {
		return err
	}
	r.notes.Gaps = keepLatest(append(r.notes.Gaps, gap{r.next, to}))
	r.out.Lost = to - r.next
	r.out.Meta = object(map[string]any{"gaps": r.notes.Gaps})
	r.next = to
	return r.flush(ctx)
}

// strand notes in the row that the partition ends before the position, so that nothing is read when it has grown past it
// again, and returns errBeyond.
func (r *reading) strand(ctx context.Context, end int64) error {
	if err := r.stream.WaitCommitted(ctx, r.sent); err != nil {
		return err
	}
	now := r.stream.Checkpoint
	now.Position = r.sent
	_, err := r.partition.g.in.Checkpoints.Amend(ctx, now, pipeline.Amendment{Meta: object(map[string]any{"beyond": end})})
	if err != nil {
		return err
	}
	return fmt.Errorf("position %d, end %d: %w", r.sent, end, errBeyond)
}

// read takes the messages of a piece.
func (r *reading) read(ctx context.Context, p piece) error {
	filter := transactionFilter{aborted: p.aborted}
	for data := p.data; ; {
		b, rest, ok, err := nextBatch(data)
		if !ok || err != nil {
			return err
		}
		data = rest
		switch passes := filter.passes(&b); {
		case b.last < r.next: // a fetch begins with the batch that has its offset
			continue
		case !passes && !b.isControl():
			r.partition.g.in.Stats.Aborted.Add(int64(b.count))
		case !passes:
		case !b.intact():
			return fmt.Errorf("the batch at offset %d is damaged: its checksum does not fit", b.base)
		default:
			if err := r.readBatch(ctx, &b); err != nil {
				return fmt.Errorf("at offset %d: %w", r.next, err)
			}
		}
		r.next = b.last + 1 // also past what compaction or a rolled back transaction has left no message of
	}
}

// forEver is the patience of who waits for memory while holding nothing that others wait for; patient is that of who
// holds a decompressor.
const (
	forEver = time.Duration(0)
	patient = time.Second
)

// errImpatient says that memory did not come in time.
var errImpatient = errors.New("waited too long")

// readBatch takes the records of a batch from offset r.next on.
func (r *reading) readBatch(ctx context.Context, b *recordBatch) error {
	if b.codec() == 0 {
		return r.readRecords(ctx, b, &records{buf: b.payload, end: len(b.payload)}, forEver)
	}
	for {
		// Memory first, then the turn at unpacking; a stream whose row is locked shall not keep others from theirs.
		if err := r.need(ctx, 0, forEver); err != nil {
			return err
		}
		if err := r.unpack(ctx, b); !errors.Is(err, errImpatient) {
			return err
		}
	}
}

func (r *reading) unpack(ctx context.Context, b *recordBatch) error {
	codec := compress.Compression(b.codec())
	if int(codec) >= len(compress.Codecs) {
		return fmt.Errorf("the batch is compressed in a way that is not known: codec %d", codec)
	}
	var u *unpacker
	select {
	case u = <-r.partition.g.unpackers:
		defer func() { r.partition.g.unpackers <- u }()
	case <-ctx.Done():
		return ctx.Err()
	}
	u.packed.Reset(b.payload)
	source := codec.Codec().NewReader(&u.packed)
	defer source.Close()
	err := r.readRecords(ctx, b, &records{buf: u.buf[:], src: source}, patient)
	if err != nil && !errors.Is(err, errImpatient) && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", codec, err)
	}
	return err
}

// readRecords adds the records of b from offset r.next on.
func (r *reading) readRecords(ctx context.Context, b *recordBatch, in *records, patience time.Duration) error {
	for range b.count {
		length := in.varint()
		start := in.read
		in.skip(1) // attributes, of which there are none
		delta, offset := in.varint(), b.base+in.varint()
		if in.err != nil || length < 0 {
			return errors.Join(in.err, errDamaged)
		}
		if offset < r.next {
			in.skip(int(start + length - in.read))
			continue
		}
		if err := r.need(ctx, int(length), patience); err != nil {
			return err
		}
		at := b.baseTime + delta
		if b.attributes&appendTimeFlag != 0 {
			at = b.maxTime
		}
		m := &r.message
		m.offset, m.time = offset, at*1000
		m.read(in, r.out, &r.partition.g.options)
		if in.err == nil && in.read-start != length {
			in.err = errDamaged
		}
		if in.err != nil {
			m.undo(r.out)
			return in.err
		}
		r.next = offset + 1
	}
	if in.src != nil { // to its end, where a decompressor looks whether all was right
		if n, err := in.src.Read(in.buf[:1]); n > 0 || err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(err, errDamaged)
		}
	}
	return nil
}

// bytesPerLine bounds the lines of a batch to its arena's size over this.
const bytesPerLine = 64

// need makes sure that the batch at hand has room for a record of so many bytes; a full one is sent, and memory for the
// next waited for.
func (r *reading) need(ctx context.Context, size int, patience time.Duration) error {
	size = min(size, r.partition.g.options.LineLimit)
	if b := r.out; b != nil {
		if len(b.Lines) == 0 || len(b.Arena)+size <= cap(b.Arena) && len(b.Lines) <= cap(b.Arena)/bytesPerLine {
			return nil
		}
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	if patience > 0 {
		limited, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		err := r.acquire(limited, max(r.partition.g.in.BlockSize(), size))
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return errImpatient
		}
		return err
	}
	return r.acquire(ctx, max(r.partition.g.in.BlockSize(), size))
}

func (r *reading) acquire(ctx context.Context, size int) (err error) {
	r.out, err = r.partition.g.in.Batch(ctx, r.stream, size)
	return err
}

// flush sends the batch at hand, or one without lines if only the position moved.
func (r *reading) flush(ctx context.Context) error {
	if r.next == r.sent {
		if r.out != nil {
			r.out.Release()
			r.out = nil
		}
		return nil
	}
	if r.out == nil {
		if err := r.acquire(ctx, 0); err != nil {
			return err
		}
	}
	b := r.out
	r.out = nil
	b.From, b.To, b.Received = r.sent, r.next, time.Now().UnixMicro()
	r.noteEnd(b)
	if err := r.partition.g.in.Send(ctx, b); err != nil {
		r.next = r.sent // its messages are gone with it: nothing that is sent after it may reach past them
		return err
	}
	r.sent = r.next
	r.partition.g.sent(r.partition, r.sent) // b is no longer ours
	return nil
}
