package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"logflume/analyze"
)

// sightings are kept in a temporary file, 16 bytes each, so that an input of any size takes no memory.
type sightings struct {
	file *os.File
	w    *bufio.Writer
}

func newSightings() (*sightings, error) {
	f, err := os.CreateTemp("", "logflume-patterns-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w: set TMPDIR to a folder with room for 16 bytes a line", err)
	}
	return &sightings{file: f, w: bufio.NewWriterSize(f, 64<<10)}, nil
}

func (n *sightings) add(s analyze.Sighting) error {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], uint64(s.ID))
	binary.LittleEndian.PutUint64(b[8:], uint64(s.Coarse))
	_, err := n.w.Write(b[:])
	return n.explain(err)
}

// each calls f for each of them, in the order in which they were added.
func (n *sightings) each(f func(analyze.Sighting) error) error {
	if err := n.w.Flush(); err != nil {
		return n.explain(err)
	}
	if _, err := n.file.Seek(0, io.SeekStart); err != nil {
		return n.explain(err)
	}
	r := bufio.NewReaderSize(n.file, 64<<10)
	for {
		var b [16]byte
		if _, err := io.ReadFull(r, b[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return n.explain(err)
		}
		s := analyze.Sighting{ID: int64(binary.LittleEndian.Uint64(b[:8])), Coarse: int64(binary.LittleEndian.Uint64(b[8:]))}
		if err := f(s); err != nil {
			return err
		}
	}
}

func (n *sightings) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("temporary file: %w: TMPDIR names the folder", err)
}

// close removes the file.
func (n *sightings) close() {
	n.file.Close()
	os.Remove(n.file.Name())
}
