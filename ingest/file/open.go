package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// errNotRegular refuses pipes, sockets, devices and directories.
var errNotRegular = errors.New("not a regular file")

// open opens a regular file. The kind is asked from the descriptor, so what the name stands for by then does not matter.
func open(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, openFlags, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("open %s: %w but %s", path, errNotRegular, info.Mode().Type())
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}
