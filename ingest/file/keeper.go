package file

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"logflume/pipeline"
)

// A keeper is the running part of a [Source]: it knows every open file and every position row, and decides what is
// done about each. All of it belongs to one goroutine; what takes time (the database, reading, unpacking) runs in jobs
// that hand their result back as a call.
type keeper struct {
	Options
	ctx   context.Context
	in    *pipeline.Intake
	watch *watcher

	files   map[place]*openFile
	byPath  map[string]*openFile // by the name that discovery found and by the one it leads to
	targets map[string]string    // what the directories of this scan lead to
	heads   heads
	active  map[*openFile]struct{} // that goroutines read
	rows    *rows
	waits   map[*row]*waiting
	fresh   []bool         // per input: it was never used before
	loaded  bool           // rows is complete
	refusal map[string]int // paths whose refusal was logged, and the scan that refused them last
	room    int            // how many files may be open
	surplus surplus        // files beyond that
	gauges  gauges

	rival     time.Time   // when another instance was last noticed, or may have been there
	surveys   []*openFile // to be decided upon when all rows have been read again
	surveying bool

	scans    int
	blind    bool // not everything is watched
	nextLook time.Time
	nextScan time.Time
	follows  int // files that are being followed
	followed int // how many may be

	jobs      sync.WaitGroup
	calls     chan func()
	broken    chan error
	questions []func() func() // to the database, that wait for their turn
	asking    int             // questions that are being asked

	queue     []*openFile // files to be read that wait for their turn
	reading   turns       // for a file that is being read
	unpacking turns       // for a compressed file: decoders take memory that is in no budget
	digesting int         // compressed files that are to be unpacked
}

const (
	maxAsking    = 256 // rows that are inserted at the same time go in one transaction
	maxReading   = 64
	maxUnpacking = 2
	// Beyond so many followed files, or fewer where descriptors are few, others are read whenever they change, without a
	// tailer of their own.
	maxFollowed = 256
)

func newKeeper(ctx context.Context, o Options, in *pipeline.Intake, w *watcher) *keeper {
	room, followed := o.descriptors()
	return &keeper{
		Options: o, ctx: ctx, in: in, watch: w,
		files: map[place]*openFile{}, byPath: map[string]*openFile{}, targets: map[string]string{}, rows: newRows(o.Host),
		active: map[*openFile]struct{}{},
		waits:  map[*row]*waiting{}, refusal: map[string]int{}, room: room, followed: followed, gauges: gauges{stats: in.Stats},
		calls: make(chan func()), broken: make(chan error, 1),
		reading: make(turns, maxReading), unpacking: make(turns, maxUnpacking),
	}
}

// do runs job in a goroutine and what it returns in the keeper's.
func (k *keeper) do(job func() func()) {
	k.jobs.Go(func() {
		call := job()
		select {
		case k.calls <- call:
		case <-k.ctx.Done():
		}
	})
}

// ask is do for questions to the database, some at a time.
func (k *keeper) ask(question func() func()) {
	k.questions = append(k.questions, question)
	k.askNext()
}

func (k *keeper) askNext() {
	for k.asking < maxAsking && len(k.questions) > 0 {
		question := k.questions[0]
		k.questions = k.questions[1:]
		k.asking++
		k.do(func() func() {
			call := question()
			return func() {
				k.asking--
				call()
				k.askNext()
			}
		})
	}
}

// load asks for all rows of the host. Files are found and opened meanwhile.
func (k *keeper) load() {
	k.ask(func() func() {
		list, err := k.in.Checkpoints.List(k.ctx, keyPrefix(k.Host), false)
		return func() {
			if err != nil {
				k.broken <- err
				return
			}
			k.start(list)
		}
	})
}

// start places the files that were found by now, best matches first: those that lie where their row says, those that
// only their row knows, those that have moved, and at last new ones. Rows that are left over begin to wait.
func (k *keeper) start(list []pipeline.Checkpoint) {
	k.put(list)
	k.markFresh()
	k.loaded = true
	known := 0
	for _, f := range k.filesInOrder() {
		if f.state == unplaced && k.resume(f) {
			known++
		}
	}
	k.reopen()
	k.rivalled()       // as when a new version starts before the old one has ended
	k.surveying = true // later, once for all files
	for _, f := range k.filesInOrder() {
		if !k.fresh[f.input] {
			f.first = 0
		}
		if f.state == unplaced {
			k.examine(f, k.decide)
		}
	}
	k.surveying = false
	k.surveyNext()
	for _, r := range k.unfinished() {
		k.waitFor(r)
	}
	k.Log.Info("files found", "files", len(k.files), "known", known, "streams_without_file", len(k.waits))
}

// unfinished returns the rows of this source's inputs that are not closed and whose bytes lie in no open file. Rows of
// other inputs belong to another instance or an import, or to a configuration that may come back.
func (k *keeper) unfinished() []*row {
	return slices.DeleteFunc(k.rows.all(), func(r *row) bool { return r.file != nil || r.Closed || !k.owns(r) })
}

func (k *keeper) owns(r *row) bool {
	return slices.ContainsFunc(k.Inputs, func(in Input) bool { return in.Matches(r.Found) })
}

// put records rows that the database returned.
func (k *keeper) put(list []pipeline.Checkpoint) {
	for _, c := range list {
		r, err := k.rows.put(c)
		if err != nil {
			k.Log.Error("position row is unreadable and left alone", "source", c.Key, "error", err)
		} else if w := r.wait; w != nil && w.settled && (r.Closed || r.place != w.place) { // another instance has dealt with it
			k.unwait(r)
		}
	}
}

// markFresh finds the inputs of which no row tells: start_at is for them.
func (k *keeper) markFresh() {
	k.fresh = make([]bool, len(k.Inputs))
	for i := range k.Inputs {
		k.fresh[i] = true
		for _, r := range k.rows.byKey {
			if k.Inputs[i].Matches(r.Found) {
				k.fresh[i] = false
				break
			}
		}
	}
}

// rest has f tried again after a pause that is not the same in two instances.
func (k *keeper) rest(f *openFile, least time.Duration) {
	f.state = resting
	f.retry = k.Clock.Now().Add(least + rand.N(4*least))
}

const (
	restMoved  = time.Second     // after another instance moved the position: 1 to 5 s
	restPaused = 2 * time.Second // after too many dead letters: 2 to 10 s
	restFailed = 6 * time.Second // after an error: 6 to 30 s
)
