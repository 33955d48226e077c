package postgres

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"logflume/pipeline"
)

// queuedFlushes is how many flushes wait for the committer, which takes all of them into one transaction: the slower
// the database, the larger its transactions.
const queuedFlushes = 2

// A Sink stores batches in PostgreSQL. It implements [pipeline.Sink].
type Sink struct {
	options     Options
	pace        pace
	sql         catalog
	state       *state
	held        held
	floods      floods
	patterns    *patternCache
	partitions  *partitions
	checkpoints *checkpoints

	writer      *client // of Run
	heart       *client // of Maintain, with the writer's role: for the heartbeat
	maintenance *client // of Maintain, with the writer's role
	owner       *client // of Maintain, with the owner's role: for the retention; nil when there is none

	merged aliasState // when patterns were last merged; of Maintain
}

// New returns a sink. It does not connect.
func New(o Options) (*Sink, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	s := &Sink{options: o, pace: defaultPace(), sql: newCatalog(o.Schema), patterns: newPatternCache()}
	s.state = newState(o.Log, s.pace.now)
	s.floods = floods{stats: o.Stats, now: s.pace.now}
	s.partitions = newPartitions(o.Calendar, s.sql)

	config, err := connConfig(o.URL, o.Application)
	if err != nil {
		return nil, err
	}
	s.writer = &client{config: config, limits: defaultLimits, greet: s.partitions.load}
	s.heart = &client{config: config, limits: defaultLimits}
	s.maintenance = &client{config: config, limits: defaultLimits}
	s.checkpoints = newCheckpoints(s, &client{config: config, limits: defaultLimits, greet: s.partitions.load})
	if o.MaintenanceURL != "" {
		config, err := connConfig(o.MaintenanceURL, o.Application)
		if err != nil {
			return nil, fmt.Errorf("maintenance: %w", err)
		}
		s.owner = &client{config: config, limits: defaultLimits}
	}
	return s, nil
}

// Checkpoints returns the position rows. They have a connection of their own, which [Sink.Close] ends.
func (s *Sink) Checkpoints() pipeline.Checkpoints { return s.checkpoints }

// Health returns what the sink knows about the database from its last tries.
func (s *Sink) Health() Health {
	h := s.state.health()
	h.Fenced = s.options.Stats.Fenced.Load()
	h.Uncommitted = s.held.lines.Load()
	h.Paused = s.floods.paused()
	return h
}

// Checked says that login, rights and schema were found to be right: what is wrong with them later is waited for, even if
// nothing was stored yet.
func (s *Sink) Checked() { s.state.setChecked() }

// Run implements [pipeline.Sink]. Besides ctx's it returns the errors that nobody can wait for: a wrong login, missing
// rights or tables at the first try, unless they were [Sink.Checked] before. Whatever the error, nothing is lost: positions stand before what was not stored.
func (s *Sink) Run(ctx context.Context, in <-chan *pipeline.Batch) error {
	flushes := make(chan flush, queuedFlushes)
	both, groupCtx := errgroup.WithContext(ctx)
	both.Go(func() error { return s.newAssembler().run(groupCtx, in, flushes) })
	both.Go(func() error { return s.newCommitter().run(groupCtx, flushes) })
	err := both.Wait()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return fmt.Errorf("gave up with %d batches (%d lines) not committed: %w",
		s.held.batches.Load()+int64(len(in)), s.held.lines.Load(), err)
}

func (s *Sink) newAssembler() *assembler {
	o := &s.options
	return &assembler{
		rows: o.FlushRows, bytes: o.FlushBytes, interval: o.FlushInterval,
		aggregate: o.NewAggregate(), patterns: s.patterns, held: &s.held,
		open: map[*pipeline.Stream]*part{},
	}
}

// Close ends the connection of the checkpoints. Run and Maintain must have returned.
func (s *Sink) Close() { s.checkpoints.close() }
