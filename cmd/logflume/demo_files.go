package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// A fileInput is the demo's input from files: each service has its own, and rotates it in its own way.
type fileInput struct {
	dir       string
	rotations atomic.Int64
}

const (
	rotationInterval = 3 * time.Second
	backups          = 5 // rotated files that are kept; the oldest is read long before it goes
)

// newFileInput makes a folder for logs in that folder.
func newFileInput(in string) (*fileInput, error) {
	i := &fileInput{dir: filepath.Join(in, "logs")}
	if err := os.Mkdir(i.dir, 0o777); err != nil {
		return nil, err
	}
	return i, os.Chmod(i.dir, 0o777) // the umask does not count
}

func (i *fileInput) source() string { return fmt.Sprintf(`file: {paths: ["%s/*.log*"]}`, i.dir) }

func (i *fileInput) outlet(service string) (outlet, error) {
	path := filepath.Join(i.dir, service+".log")
	f, err := create(path)
	if err != nil {
		return nil, err
	}
	rotate := map[string]func(string, *os.File) (*os.File, error){
		"checkout": rotateByRename, "payments": rotateByCopy, "gateway": rotateByDate,
	}[service]
	return &logFile{input: i, path: path, file: f, rotate: rotate, rotated: time.Now()}, nil
}

func (i *fileInput) progress() string { return fmt.Sprintf("%d rotations", i.rotations.Load()) }

// ledger asks for the account of each service's files, of all their rotations together, and of all.
func (i *fileInput) ledger() (heads, query string) {
	return "LEDGER\tlines\tkept\tfiltered\tdead\tfiles", `
		SELECT coalesce(substring(path FROM '([a-z]+)\.log[^/]*$'), 'all'), coalesce(sum(lines), 0)::text,
		       coalesce(sum(kept), 0)::text, coalesce(sum(filtered), 0)::text, coalesce(sum(dead), 0)::text, count(*)::text
		FROM logs.source_ledger GROUP BY ROLLUP (substring(path FROM '([a-z]+)\.log[^/]*$'))
		ORDER BY substring(path FROM '([a-z]+)\.log[^/]*$') NULLS LAST`
}

// close leaves the folder to whoever removes the one around it.
func (i *fileInput) close() error { return nil }

// A logFile is the file of one service.
type logFile struct {
	input   *fileInput
	path    string
	file    *os.File
	rotate  func(path string, f *os.File) (*os.File, error)
	rotated time.Time
}

func (l *logFile) write(lines []byte) error {
	if time.Since(l.rotated) >= rotationInterval {
		next, err := l.rotate(l.path, l.file)
		if err != nil {
			return fmt.Errorf("rotate %s: %w", l.path, err)
		}
		l.file, l.rotated = next, time.Now()
		l.input.rotations.Add(1)
	}
	_, err := l.file.Write(lines)
	return err
}

func (l *logFile) close() error { return l.file.Close() }

// create opens path for appending.
func create(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
}

// shift renames path.4 to path.5 and so on; path itself stays. What was path.5 is gone.
func shift(path string) error {
	for i := backups - 1; i >= 1; i-- {
		err := os.Rename(fmt.Sprintf("%s.%d", path, i), fmt.Sprintf("%s.%d", path, i+1))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// rotateByRename does what logrotate does by default: rename, then begin a new file.
func rotateByRename(path string, f *os.File) (*os.File, error) {
	if err := shift(path); err != nil {
		return f, err
	}
	if err := os.Rename(path, path+".1"); err != nil {
		return f, err
	}
	next, err := create(path)
	if err != nil {
		return f, err
	}
	return next, f.Close()
}

// rotateByDate gives the full file a name with the time, as many loggers do, and keeps all.
func rotateByDate(path string, f *os.File) (*os.File, error) {
	if err := f.Close(); err != nil {
		return f, err
	}
	if err := os.Rename(path, path+"."+time.Now().UTC().Format("20060102T150405.000")); err != nil {
		return f, err
	}
	return create(path)
}

// rotateByCopy does what logrotate's copytruncate does: copy, then empty the file in place.
func rotateByCopy(path string, f *os.File) (*os.File, error) {
	if err := shift(path); err != nil {
		return f, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return f, err
	}
	if err := os.WriteFile(path+".1", content, 0o644); err != nil {
		return f, err
	}
	return f, f.Truncate(0)
}
