package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"logflume/analyze"
	"logflume/pipeline"
)

const mineBytes = 256 << 10 // of lines that are parsed at a time

// A lineMiner parses lines as run does and shows their messages to a Miner.
type lineMiner struct {
	parse pipeline.Processor
	miner *analyze.Miner
	tell  func(analyze.Sighting) error // for each line
	limit int                          // bytes of a line; of a longer one only the head is looked at
	batch pipeline.Batch
	ids   []analyze.Sighting // of the batch's lines
	known bool               // that the input is text: the first batch has been looked at
}

// errBinary refuses what has no lines.
var errBinary = errors.New("it holds binary data: only text is read, plain or compressed by gzip or zstd")

// eachLine mines the lines of in and tells the sighting of each, in order: that of the line's first event. A line that
// cannot be parsed is a message itself.
func eachLine(ctx context.Context, w *wiring, in io.Reader, miner *analyze.Miner, tell func(analyze.Sighting) error) error {
	m := lineMiner{parse: w.parse(), miner: miner, tell: tell, limit: int(w.config.Limits.Line)}
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		more, err := m.read(r)
		if err != nil {
			return err
		}
		if len(m.batch.Arena) >= mineBytes || !more {
			if err := m.mine(); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil || !more {
				return err
			}
		}
	}
}

// read takes one line into the batch, and reports whether there was one.
func (m *lineMiner) read(r *bufio.Reader) (more bool, err error) {
	b := &m.batch
	line := pipeline.Line{Start: len(b.Arena), Offset: 1}
	for {
		part, err := r.ReadSlice('\n')
		line.Length += int64(len(part))
		ended := err == nil
		if ended {
			part = part[:len(part)-1]
			line.Length--
		}
		b.Arena = append(b.Arena, part[:min(len(part), m.limit-(len(b.Arena)-line.Start))]...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && line.Length == 0:
			return false, nil
		case err != nil && !errors.Is(err, io.EOF):
			return false, err
		}
		line.End = len(b.Arena)
		b.Lines = append(b.Lines, line)
		return ended, nil
	}
}

// mine mines the batch's lines and empties it.
func (m *lineMiner) mine() error {
	b := &m.batch
	b.Received = time.Now().UnixMicro()
	m.parse.Process(b)
	if !m.known && isBinary(b) {
		return errBinary
	}
	m.known = true
	m.ids = append(m.ids[:0], make([]analyze.Sighting, len(b.Lines))...)
	for i := range b.Events {
		e := &b.Events[i]
		if s := m.miner.Add(e); e.Index == 0 {
			m.ids[e.Line] = s
		}
	}
	for i := range b.Dead {
		line := b.Dead[i].Line
		m.ids[line] = m.miner.Add(&pipeline.Event{Message: pipeline.String(b.Raw(int(line)))})
	}
	for _, s := range m.ids {
		if err := m.tell(s); err != nil {
			return err
		}
	}
	*b = pipeline.Batch{Arena: b.Arena[:0], Lines: b.Lines[:0], Text: b.Text[:0], Events: b.Events[:0], Dead: b.Dead[:0]}
	return nil
}

// isBinary reports whether most of b is no text: lines that cannot be parsed and hold a NUL. Logs have a few such, where
// a disk was full or a file was truncated under its writer; by chance half of the lines of binary data are such, and
// they are the long ones.
func isBinary(b *pipeline.Batch) bool {
	lines, size := 0, 0
	for i := range b.Dead {
		if raw := b.Raw(int(b.Dead[i].Line)); bytes.IndexByte(raw, 0) >= 0 {
			lines, size = lines+1, size+len(raw)
		}
	}
	return lines > 0 && lines >= len(b.Lines)/4 && size >= len(b.Arena)/2
}
