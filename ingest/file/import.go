package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"logflume/pipeline"
)

// StandardInput stands for standard input among the paths of an import.
const StandardInput = "-"

// ImportOptions configures an [Import].
type ImportOptions struct {
	Paths     []string // files, globs, or StandardInput
	Host      string   // names this host in source keys
	LineLimit int      // bytes; a longer line becomes a dead letter; 0 means DefaultLineLimit
	Joins     Joins    // which lines are one event
	Log       *slog.Logger
	Stdin     io.Reader
	Clock     Clock // nil means the system's clock
}

func (o *ImportOptions) framing() framing { return framing{limit: o.LineLimit, joins: o.Joins} }

// An Import reads files once, each to the size it has when its turn comes, and ends when everything is durable. What
// was read before, by another import or by a [Source], is not read again.
type Import struct {
	options ImportOptions
	items   []*item
}

// An item is one of the things to import.
type item struct {
	path   string
	total  int64        // bytes on disk; 0 for standard input
	raw    atomic.Int64 // bytes read of a compressed file or of standard input
	packed atomic.Bool
	now    atomic.Pointer[reading]
	done   atomic.Bool
}

// NewImport finds the files. A path that names none is an error. Directories among several paths are passed over with a
// warning, as a shell's globs name them too.
func NewImport(o ImportOptions) (*Import, error) {
	if o.Host == "" {
		return nil, errors.New("import: host is empty")
	}
	if o.LineLimit == 0 {
		o.LineLimit = DefaultLineLimit
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	m := &Import{options: o}
	seen := map[string]bool{}
	for _, p := range o.Paths {
		paths, err := expand(p)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			if seen[path] {
				continue
			}
			seen[path] = true
			it, err := newItem(path)
			if errors.Is(err, errDirectory) && len(o.Paths) > 1 {
				o.Log.Warn("path is passed over: it is a directory", "path", path)
				continue
			}
			if err != nil {
				return nil, err
			}
			m.items = append(m.items, it)
		}
	}
	if len(m.items) == 0 && len(o.Paths) > 0 {
		return nil, errors.New("all of the paths are directories: name files, or globs such as DIR/*.log")
	}
	return m, nil
}

// errDirectory refuses a directory.
var errDirectory = errors.New("it is a directory: name its files, or a glob such as DIR/*.log")

// expand returns the absolute paths that p names: a file of that very name, or what the glob matches.
func expand(p string) ([]string, error) {
	if p == StandardInput {
		return []string{p}, nil
	}
	abs, err := filepath.Abs(p)
	if err != nil {
		return nil, fmt.Errorf("make %q absolute: %w", p, err)
	}
	if _, err := os.Stat(abs); err == nil {
		return []string{abs}, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := Validate([]string{p}); err != nil {
		return nil, err
	}
	paths, err := doublestar.FilepathGlob(abs, doublestar.WithFilesOnly())
	if err != nil {
		return nil, fmt.Errorf("path pattern %q: %w", p, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: no such file, and nothing matches it as a pattern", p)
	}
	return paths, nil
}

func newItem(path string) (*item, error) {
	if path == StandardInput {
		it := &item{path: path}
		it.packed.Store(true)
		return it, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s: %w", path, errDirectory)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: %w but %s", path, errNotRegular, info.Mode().Type())
	}
	return &item{path: path, total: info.Size()}, nil
}

// Progress is how far an import is with one file.
type Progress struct {
	Path  string
	Done  int64 // bytes on disk that were read
	Total int64 // bytes on disk; 0 when it is not known
	Ended bool  // everything is durable, or was given up
}

// Progress returns how far each file is. It may be called at any time.
func (m *Import) Progress() []Progress {
	list := make([]Progress, len(m.items))
	for i, it := range m.items {
		p := Progress{Path: it.path, Total: it.total, Ended: it.done.Load()}
		if it.packed.Load() {
			p.Done = it.raw.Load()
		} else if r := it.now.Load(); r != nil {
			p.Done = r.reached.Load().pos
		}
		if p.Ended {
			p.Done = max(p.Done, p.Total)
		}
		list[i] = p
	}
	return list
}

// Run imports one file after the other and waits until all are durable. Files that cannot be read do not keep it from
// the others; their errors are returned at the end.
func (m *Import) Run(ctx context.Context, in *pipeline.Intake) error {
	known := newRows(m.options.Host)
	list, err := in.Checkpoints.List(ctx, keyPrefix(m.options.Host), false)
	if err != nil {
		return unlessEnded(ctx, fmt.Errorf("list the positions of %s: %w", m.options.Host, err))
	}
	for _, c := range list {
		if _, err := known.put(c); err != nil {
			m.options.Log.Error("position row is unreadable and left alone", "source", c.Key, "error", err)
		}
	}
	run := &importRun{ImportOptions: m.options, in: in, rows: known, turn: make(turns, 1)}
	var all errgroup.Group
	errs := make([]error, len(m.items))
	for i, it := range m.items {
		if run.turn.enter(ctx) != nil { // in the order of the arguments
			break
		}
		all.Go(func() error {
			errs[i] = run.item(ctx, it)
			it.done.Store(true)
			return nil
		})
	}
	_ = all.Wait() // the functions keep their errors
	return unlessEnded(ctx, errors.Join(errs...))
}

// unlessEnded returns err, or nil when the end of ctx is the reason.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
