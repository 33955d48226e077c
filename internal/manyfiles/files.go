package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// work is a tree of log files.
type work struct {
	root  string
	paths []string
}

// makeFiles makes the files of p, with their first lines.
func makeFiles(p plan) (w *work, err error) {
	w = &work{}
	if w.root, err = os.MkdirTemp("", "manyfiles-*"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(w.root)
		}
	}()
	for i := range max(1, p.dirs) {
		if err := os.MkdirAll(w.dir(i), 0o755); err != nil {
			return nil, err
		}
	}
	for i := range p.files {
		var text strings.Builder
		for n := range p.lines {
			text.WriteString(line(fmt.Sprintf("line %d of file %d", n, i)))
		}
		path := filepath.Join(w.dir(i%max(1, p.dirs)), fmt.Sprintf("app-%d.log", i))
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			return nil, err
		}
		w.paths = append(w.paths, path)
	}
	return w, nil
}

func (w *work) dir(i int) string { return filepath.Join(w.root, "logs", fmt.Sprintf("dir-%d", i)) }

// pattern matches all files.
func (w *work) pattern() string { return filepath.Join(w.root, "logs", "*", "*.log") }

// line returns an entry with this message, as services write it.
func line(message string) string {
	return fmt.Sprintf(`{"timestamp":%q,"level":"INFO","service":"many","message":%q,"user_id":"u-17","duration_ms":12}`+"\n",
		time.Now().UTC().Format(time.RFC3339Nano), message)
}

// appendTo adds text to the end of the i-th file and returns when that was done.
func (w *work) appendTo(i int, text string) (time.Time, error) {
	f, err := os.OpenFile(w.paths[i], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return time.Time{}, err
	}
	_, err = f.WriteString(text)
	done := time.Now()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return done, err
}
