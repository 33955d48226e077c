package file

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	"logflume/pipeline"
)

const (
	modelLineLimit = 1000
	modelGrace     = 4 * time.Second
	modelCopyWait  = 20 * time.Second // longer than a file may stay unseen
)

// A modelProcess is a running instance.
type modelProcess struct {
	*connection
	kernel *modelKernel
	stats  *pipeline.Stats
	stop   context.CancelFunc
	ended  chan error
	blind  bool
	keeper atomic.Pointer[keeper] // nil until it runs
}

// A watchedSource is a Source whose kernel is the test's.
type watchedSource struct {
	*Source
	process *modelProcess
}

func (s watchedSource) Run(ctx context.Context, in *pipeline.Intake) error {
	ctx, stop := context.WithCancel(ctx)
	w := newWatcherOf(nil, nil, nil, s.options.Log)
	if kernel := s.process.kernel; !s.process.blind {
		w = newWatcherOf(kernel, kernel.events, kernel.errors, s.options.Log)
	}
	k := newKeeper(ctx, s.options, in, w)
	s.process.keeper.Store(k)
	return k.runAll(stop)
}

// A modelWorld is files, a database, and instances that read the ones into the other. It lives in a bubble, in which no
// real time passes.
type modelWorld struct {
	*modelFiles
	store     *store
	log       *logBuffer
	options   Options
	gate      chan struct{} // the sinks take one token for each batch
	refusals  int           // how many of the next batches are fenced
	away      chan struct{} // closed when the database is back; nil when it is there
	processes []*modelProcess
	started   int
	rivals    time.Time // when there were two of them last
	delivered int       // lines of the store that texts has
	texts     map[string]int
	delicate  []*body // copies that are known to be ones only by who has seen the original
	unknown   []*body // copies of what no row tells of yet
}

const freely = 1 << 10 // more tokens than there are batches between two actions

func newModelWorld(dir string) *modelWorld {
	w := &modelWorld{modelFiles: newModelFiles(dir), store: newStore(), log: &logBuffer{}, texts: map[string]int{}}
	w.gate = make(chan struct{}, freely)
	w.open()
	w.emit = func(path string, op fsnotify.Op) {
		for _, p := range w.processes {
			p.kernel.emit(path, op)
		}
	}
	w.modelFiles.copied, w.modelFiles.noticed = w.copied, w.noticed
	w.done = func(text string) bool { w.count(); return w.texts[text] > 0 }
	w.options = Options{
		Inputs: []Input{{Paths: []string{w.path("logs/*.log*")}}}, Host: "host",
		CopyWait: modelCopyWait, Grace: modelGrace, LineLimit: modelLineLimit,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	return w
}

// count brings texts up to what is committed.
func (w *modelWorld) count() {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	for _, r := range w.store.lines[w.delivered:] {
		w.texts[r.text]++
	}
	w.delivered = len(w.store.lines)
}

// open lets all batches be committed, hold none, allow n further ones.
func (w *modelWorld) open() {
	w.allow(freely/2 - len(w.gate))
}

func (w *modelWorld) hold() {
	for len(w.gate) > 0 {
		select {
		case <-w.gate:
		default:
		}
	}
}

func (w *modelWorld) allow(n int) {
	for range max(0, min(n, freely-len(w.gate))) {
		w.gate <- struct{}{}
	}
}

func (w *modelWorld) start(blind bool) {
	w.started++
	if len(w.processes) > 0 {
		unproven(w.unknown)
		w.unfound()
	}
	o := w.options
	o.Log = o.Log.With("process", w.started)
	s, err := New(o)
	must(err)
	c := w.store.connect()
	c.gate = w.gate
	c.full = func() bool { w.refusals--; return w.refusals >= 0 } // the store calls it under its lock
	p := &modelProcess{connection: c, kernel: newModelKernel(), stats: &pipeline.Stats{}, ended: make(chan error, 1), blind: blind}
	var ctx context.Context
	ctx, p.stop = context.WithCancel(context.Background())
	in := pipeline.NewIntake(&absentable{Checkpoints: c, world: w}, pipeline.NewBudget(512<<10), p.stats, 2)
	go func() {
		p.ended <- pipeline.Run(ctx, pipeline.Pipeline{
			Sources: []pipeline.Source{watchedSource{s, p}}, Intake: in, Workers: 2, Grace: 10 * time.Second, Sink: c,
			Stages: func() []pipeline.Processor { return nil },
		})
	}()
	w.processes = append(w.processes, p)
}

// end ends a process: as SIGKILL does, or as SIGTERM.
func (w *modelWorld) end(p *modelProcess, kill bool) {
	if kill {
		p.kill()
	}
	p.stop()
	if err := <-p.ended; err != nil && !errors.Is(err, context.Canceled) && !kill {
		panic(err)
	}
	p.kill()
	unproven(w.delicate)
	if len(w.processes) > 1 {
		w.rivals = time.Now()
	}
	w.processes = slices.DeleteFunc(w.processes, func(o *modelProcess) bool { return o == p })
	for _, b := range w.bodies {
		if b.held[p] {
			delete(b.held, p)
			w.abandoned(b)
		}
	}
}

// unproven notes that nobody can tell any more that bodies are copies of others.
func unproven(bodies []*body) {
	for _, b := range bodies {
		for _, p := range b.pieces {
			if p.line != nil {
				p.line.twice = true
			}
		}
	}
}

// copied notes that b was made from name. Of two instances each may find another copy of what no row tells of, or of what
// only the other has looked at. A copy of what begins like something else may be one of that.
func (w *modelWorld) copied(name string, b *body) {
	if b.grown = w.names[name].grown; b.grown {
		unproven([]*body{b})
		w.indistinct(b, w.names[name].former)
	}
	for _, p := range w.processes {
		if w.hasShorterCopy(b) && time.Since(w.names[name].grew) < p.attention() {
			unproven([]*body{b}) // nothing tells that there was more than in that
		}
		rivalled := len(w.processes) > 1 || w.rivals.After(w.names[name].since)
		if rivalled && (time.Since(w.names[name].since) < p.attention() || w.isHeld()) {
			unproven([]*body{b})
		}
	}
	if !w.known(name) {
		w.unknown = append(w.unknown, b)
		if len(w.processes) > 1 {
			unproven(w.unknown)
		}
	}
}

// sleep lets time pass, and notes which files every process has opened by then.
func (w *modelWorld) sleep(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble, where nobody waits
	if d > modelCopyWait+scanInterval && len(w.processes) > 0 && w.away == nil && len(w.gate) > freely/4 {
		w.delicate, w.unknown = nil, nil
	}
	for _, p := range w.processes {
		if need := p.attention(); d < need {
			continue
		}
		for name, b := range w.names {
			if strings.HasPrefix(name, "logs/") || w.links["logs/link.log"] == name {
				b.held[p] = true
			}
		}
	}
}

// attention is how long it takes until the process has surely found a file.
func (p *modelProcess) attention() time.Duration {
	switch {
	case p.blind:
		return lookInterval + 3*tickInterval
	case p.kernel.isDeaf():
		return scanInterval + 3*tickInterval
	default:
		return 4 * shortestPause
	}
}

// absentable is a database that can be away. The answer to who asks then comes when it is back.
type absentable struct {
	pipeline.Checkpoints
	world *modelWorld
}

func (a *absentable) wait(ctx context.Context) error {
	a.world.store.mu.Lock()
	back := a.world.away
	a.world.store.mu.Unlock()
	if back == nil {
		return nil
	}
	select {
	case <-back:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *absentable) Create(ctx context.Context, key string, meta []byte) (pipeline.Checkpoint, error) {
	if err := a.wait(ctx); err != nil {
		return pipeline.Checkpoint{}, err
	}
	return a.Checkpoints.Create(ctx, key, meta)
}

func (a *absentable) List(ctx context.Context, prefix string, open bool) ([]pipeline.Checkpoint, error) {
	if err := a.wait(ctx); err != nil {
		return nil, err
	}
	return a.Checkpoints.List(ctx, prefix, open)
}

func (a *absentable) Amend(ctx context.Context, at pipeline.Checkpoint, m pipeline.Amendment) (pipeline.Checkpoint, error) {
	if err := a.wait(ctx); err != nil {
		return pipeline.Checkpoint{}, err
	}
	return a.Checkpoints.Amend(ctx, at, m)
}

// leave takes the database away: nothing is committed and nothing answered.
func (w *modelWorld) leave() {
	w.store.mu.Lock()
	if w.away == nil {
		w.away = make(chan struct{})
	}
	w.store.mu.Unlock()
	w.hold()
}

func (w *modelWorld) comeBack() {
	w.store.mu.Lock()
	if w.away != nil {
		close(w.away)
		w.away = nil
	}
	w.store.mu.Unlock()
	w.open()
}
