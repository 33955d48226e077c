package chaos

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"logflume/internal/testkit"
)

// A Stream is what the ledger says of a file that was read.
type Stream struct {
	Position  int64
	Lines     int64 // of the ledger
	LostBytes int64
	Path      string // where the bytes lie now
	Inode     uint64
	Size      int64 // when last looked at
	Closed    bool  // finished
}

// Streams returns all streams, in the order in which they were first met.
func (s *Script) Streams() (streams []Stream) {
	s.t.Helper()
	rows, err := s.connection().Query(s.t.Context(), "select position, lines, lost_bytes, meta from "+s.schema+".log_positions order by source_id")
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var stream Stream
		var meta []byte
		err := rows.Scan(&stream.Position, &stream.Lines, &stream.LostBytes, &meta)
		if err = errors.Join(err, json.Unmarshal(meta, &stream)); err != nil {
			s.t.Fatal(err)
		}
		streams = append(streams, stream)
	}
	if rows.Err() != nil {
		s.t.Fatal(rows.Err())
	}
	return streams
}

// Count returns how many rows of a table fulfil a condition.
func (s *Script) Count(table, condition string) (n int64) {
	s.t.Helper()
	err := s.connection().QueryRow(s.t.Context(), "select count(*) from "+s.schema+"."+table+" where "+condition).Scan(&n)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// connection returns one to look at the tables.
func (s *Script) connection() *pgx.Conn {
	s.t.Helper()
	if s.tables == nil {
		s.tables = testkit.Connect(s.t, s.url)
	}
	return s.tables
}

// AwaitStream waits until there is a stream of which it holds.
func (s *Script) AwaitStream(what string, is func(Stream) bool) (found Stream) {
	s.t.Helper()
	s.Await("a stream "+what, func() bool {
		s.Up()
		for _, stream := range s.Streams() {
			if is(stream) {
				found = stream
				return true
			}
		}
		return false
	})
	return found
}

// requireEnds fails the test unless every regular file is the place of a stream that was read to its end.
func (s *Script) requireEnds() {
	s.t.Helper()
	ends := map[uint64][]int64{}
	for _, stream := range s.Streams() {
		ends[stream.Inode] = append(ends[stream.Inode], stream.Position)
	}
	err := filepath.WalkDir(s.Logs, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || s.refused[entry.Name()] {
			return err
		}
		inode, size, err := contentSize(path)
		if err != nil {
			return err
		}
		found := size == 0
		for _, end := range ends[inode] {
			found = found || end == size
		}
		if !found {
			s.t.Errorf("%s has %d bytes and is read to %d", path, size, ends[inode])
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// contentSize returns a file's inode and how many bytes it has, unpacked.
func contentSize(path string) (inode uint64, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	size = info.Size()
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", path, err)
		}
		if size, err = io.Copy(io.Discard, z); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", path, err)
		}
	}
	return info.Sys().(*syscall.Stat_t).Ino, size, nil
}
