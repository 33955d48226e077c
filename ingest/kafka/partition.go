package kafka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"logflume/pipeline"
)

var (
	errReplaced = errors.New("the topic was deleted and made again")

	// errBeyond says that a partition ends before our position: after an unclean election of a leader, or when a cluster
	// was restored from a backup, its offsets mean other messages than before.
	errBeyond = errors.New("the partition ends before the position")
)

const (
	maxQueued = 2 // pieces of a partition that wait or are read: one to read while the next is fetched

	retryMoved     = 500 * time.Millisecond // before going on at a position that somebody else moved; up to twice that
	retryPaused    = 5 * time.Second        // before looking whether a source that the sink has paused may go on
	retryStuck     = time.Second            // before trying again after an error; doubled, while nothing is read, up to
	retryStuckMost = 30 * time.Second
	retryGone      = 24 * time.Hour // a row that was removed is not made again while we run
)

// A piece is what one fetch brought for a partition.
type piece struct {
	reading *reading // whose fetch it was
	data    []byte
	aborted []abortedTransaction
	end     int64 // of the partition at that moment
	err     error // why there is no data: one that the reading has to deal with
}

// A partition is one that the group gave to this process, for one generation.
type partition struct {
	topicPartition
	g      *generation
	key    string     // in log_positions
	pieces chan piece // of the reading at hand, or of former ones

	// Guarded by g.mu.
	topicID uuid
	leadership
	reading   *reading         // whose fetches are wanted; nil while nobody's are
	replaced  chan struct{}    // closed when topicID has become another one than the reading began with
	offset    int64            // to be fetched next; paused while the reading decides
	queued    int              // pieces that were not released yet
	hot       bool             // the last fetch brought something
	notBefore time.Time        // when to fetch again
	stable    int64            // offset after the last message that may be read, as far as we know
	end       int64            // offset after the last message; 0 while not known
	stuck     bool             // it could not be read when last tried
	stream    *pipeline.Stream // of the latest reading; nil before the first
	sentTo    int64            // position up to which that one has sent batches
}

// paused is the offset of a partition that is not to be fetched.
const paused = -1

// run reads the partition until ctx ends: a reading after the other.
func (p *partition) run(ctx context.Context) {
	for pause := retryStuck; ; {
		progressed, err := p.attempt(ctx)
		if ctx.Err() != nil {
			return
		}
		err = p.g.options.remedy(err)
		if progressed {
			pause = retryStuck
		}
		switch {
		case errors.Is(err, errReplaced):
		case errors.Is(err, pipeline.ErrPaused): // the sink has said why
			p.noteEnd(ctx)
			wait(ctx, retryPaused, nil)
		case errors.Is(err, pipeline.ErrMoved):
			p.g.options.Log.Info("another member of the group committed after us; going on from there", "partition", p.String())
			wait(ctx, retryMoved+rand.N(retryMoved), nil)
		case errors.Is(err, pipeline.ErrGone):
			p.g.stick(p, err)
			wait(ctx, retryGone, nil)
		default:
			p.g.stick(p, err)
			p.noteEnd(ctx)
			wait(ctx, pause, nil)
			pause = min(2*pause, retryStuckMost)
		}
	}
}

// attempt reads from the stored position on until something ends that.
func (p *partition) attempt(ctx context.Context) (progressed bool, err error) {
	id, replaced := p.topicNow()
	row, n, err := p.open(ctx, id)
	if err != nil {
		return false, err
	}
	r := newReading(p, row, n, replaced)
	p.g.follow(p, r)
	if err := r.begin(ctx); err != nil {
		return false, err
	}
	p.g.attach(p, r)
	err = r.run(ctx)
	p.g.detach(p)
	if r.stream.Err() == nil { // what was sent is good; the next one begins behind it
		err = errors.Join(err, r.stream.WaitCommitted(ctx, r.sent))
	}
	return r.sent > row.Position, err
}

// open returns the position row of the partition in the topic of that id.
func (p *partition) open(ctx context.Context, id uuid) (pipeline.Checkpoint, notes, error) {
	checkpoints := p.g.in.Checkpoints
	row, err := find(ctx, checkpoints, p.key)
	if err != nil {
		return row, notes{}, err
	}
	if row.Key == "" { // the partition was added to a topic that is being read: it begins at its beginning
		n := notes{Topic: p.topic, Partition: p.partition, TopicID: id.String()}
		if row, err = checkpoints.Create(ctx, p.key, n.encode()); err != nil {
			return row, n, err
		}
	}
	n, err := decodeNotes(row.Meta)
	switch {
	case err != nil:
		return row, n, fmt.Errorf("position row %s: %w", p.key, err)
	case id != (uuid{}) && n.TopicID != "" && n.TopicID != id.String():
		return p.rewind(ctx, row, n, id)
	case n.Beyond != nil:
		return row, n, fmt.Errorf("%s is read up to %d but ended at %d: %w. Its messages are others now, as after an unclean "+
			"election or a restored backup. To go on at that end: %s; docs/kafka.md tells of other places", p, row.Position, *n.Beyond,
			errBeyond, p.goOnAt(*n.Beyond))
	case id != (uuid{}) && n.TopicID == "": // the brokers were upgraded
		n.TopicID = id.String()
		row, err = checkpoints.Amend(ctx, row, pipeline.Amendment{Meta: object(map[string]string{"topic_id": n.TopicID})})
	}
	return row, n, err
}

// goOnAt returns the statement that has the partition read from offset on.
func (p *partition) goOnAt(offset int64) string {
	return fmt.Sprintf("UPDATE %s SET position = %d, epoch = epoch + 1, meta = meta - 'beyond' WHERE source_key = '%s'",
		p.g.options.Positions, offset, strings.ReplaceAll(p.key, "'", "''"))
}

// find returns the row of key, or one without a key.
func find(ctx context.Context, c pipeline.Checkpoints, key string) (pipeline.Checkpoint, error) {
	rows, err := c.List(ctx, key, false)
	for _, row := range rows {
		if row.Key == key { // others begin with it
			return row, nil
		}
	}
	return pipeline.Checkpoint{}, err
}

// rewind sets the row to the beginning of a topic that has taken the place of another one of its name. The raised epoch
// keeps from being committed what was still read of that.
func (p *partition) rewind(ctx context.Context, row pipeline.Checkpoint, n notes, id uuid) (pipeline.Checkpoint, notes, error) {
	p.g.options.Log.Warn("the topic was deleted and made again; reading the new one from its beginning",
		"partition", p.String(), "position", row.Position, "old_id", n.TopicID, "new_id", id.String())
	n.Former = keepLatest(append(n.Former, former{TopicID: n.TopicID, Position: row.Position}))
	n.TopicID, n.Start, n.Beyond, n.End = id.String(), 0, nil, nil
	row, err := p.g.in.Checkpoints.Amend(ctx, row, pipeline.Amendment{
		Fence: true, Rewind: true,
		Meta: object(map[string]any{"topic_id": n.TopicID, "start": 0, "former": n.Former, "beyond": nil, "end": nil}),
	})
	return row, n, err
}

// topicNow returns the id of the partition's topic and a channel that is closed when it becomes another.
func (p *partition) topicNow() (uuid, <-chan struct{}) {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	if p.replaced == nil {
		p.replaced = make(chan struct{})
	}
	return p.topicID, p.replaced
}

// identifyLocked notes the id of the partition's topic.
func (p *partition) identifyLocked(id uuid) {
	if id == p.topicID || id == (uuid{}) {
		return
	}
	p.end = 0
	if p.topicID = id; p.replaced != nil {
		close(p.replaced)
		p.replaced = nil
	}
}
