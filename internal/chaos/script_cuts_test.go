package chaos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"logflume/internal/chaos"
)

var cuts = map[string]scriptCase{
	"truncated":             {small: []chaos.Way{chaos.Killed}, settings: shortWait, run: truncated(10)},
	"truncated_and_regrown": {small: []chaos.Way{chaos.Behind}, settings: shortWait, run: truncated(3 * backlog)},
	"truncated_in_mid_line": {small: []chaos.Way{chaos.Live}, settings: shortWait, run: truncatedInMidLine},
	"deleted_unread":        {small: []chaos.Way{chaos.Stopped, chaos.Frozen}, settings: shortWait, run: deletedUnread},
	"inode_used_again":      {small: []chaos.Way{chaos.Stopped}, settings: shortWait, run: inodeUsedAgain},
	"hole_after_truncation": {small: []chaos.Way{chaos.Live}, run: holeAfterTruncation},
}

// truncated cuts a file that is being read, without a copy, and writes so many lines into it, which may be more than there
// were. What was not committed by then is lost, and counted to the byte.
func truncated(lines int) func(*testing.T, *chaos.Script) {
	return func(_ *testing.T, s *chaos.Script) {
		app, fresh := s.Text("app"), s.Text("fresh")
		s.Append("app.log", app, 2*backlog)
		s.AwaitStream("is known", func(chaos.Stream) bool { return true })
		s.Operate(func() {
			s.Do("truncate", "--size=0", "app.log")
			s.Append("app.log", fresh, lines)
		})
		s.Lose(app, s.AwaitStream("is closed", isClosed))
	}
}

func isClosed(stream chaos.Stream) bool { return stream.Closed }

// truncatedInMidLine cuts a file whose last line has no end yet. It is counted if the instance that finds the file cut has
// seen it: a position is only noted with what is committed.
func truncatedInMidLine(t *testing.T, s *chaos.Script) {
	app, fresh := s.Text("app"), s.Text("fresh")
	s.Append("app.log", app, 100)
	s.Stored()
	const half = `{"level":"INFO","msg":"a line without e`
	s.Write("app.log", half)
	s.Await("the instance knows of the half line", func() bool {
		s.Up()
		return s.Metric("logflume_lag_bytes") == int64(len(half))
	})
	s.Operate(func() {
		s.Do("truncate", "--size=0", "app.log")
		s.Append("app.log", fresh, 10)
	})
	was := s.AwaitStream("is closed", isClosed)
	uncounted := was.LostBytes == 0 && (s.Way == chaos.Stopped || s.Way == chaos.Killed)
	if was.Position != app.Size() || was.LostBytes != int64(len(half)) && !uncounted {
		t.Errorf("%d bytes of %d were read, and %d are lost", was.Position, app.Size(), was.LostBytes)
	}
	s.Lost(was.LostBytes)
}

// deletedUnread removes a file that is being read. Who has it open reads it to its end.
func deletedUnread(t *testing.T, s *chaos.Script) {
	app, fresh := s.Text("app"), s.Text("fresh")
	s.Append("app.log", app, 2*backlog)
	s.AwaitStream("is known", func(chaos.Stream) bool { return true })
	s.Operate(func() {
		s.Do("rm", "app.log")
		s.Append("app.log", fresh, 10)
	})
	was := s.AwaitStream("is closed", isClosed)
	if was.LostBytes != 0 && s.Way != chaos.Stopped && s.Way != chaos.Killed {
		t.Errorf("%d bytes are lost", was.LostBytes)
	}
	s.Lose(app, was)
}

// inodeUsedAgain removes files and makes another one that has the inode of one of them.
func inodeUsedAgain(t *testing.T, s *chaos.Script) {
	const files = 50 // other programs make files, too, and are given some of the inodes
	app, fresh := s.Text("app"), s.Text("fresh")
	free := map[uint64]bool{}
	names := []string{"-f"}
	for n := range files {
		name := fmt.Sprintf("app%d.log", n)
		s.Append(name, app, 10)
		free[inodeOf(t, filepath.Join(s.Logs, name))] = true
		names = append(names, name)
	}
	s.Stored()
	switch s.Way { // an open file keeps its inode
	case chaos.Stopped:
	case chaos.Killed:
		s.Kill()
	default:
		s.Do("rm", names...)
		s.Await("all streams are closed", func() bool {
			s.Up()
			return !slices.ContainsFunc(s.Streams(), func(stream chaos.Stream) bool { return !stream.Closed })
		})
	}
	var again uint64
	s.Operate(func() {
		s.Do("rm", names...)
		path := fileWithInode(t, s.Logs, free)
		again = inodeOf(t, path)
		s.Append(filepath.Base(path), fresh, backlog)
		s.Do("mv", path, "app.log")
	})
	s.AwaitStream("of the other file has the inode", func(stream chaos.Stream) bool {
		return stream.Inode == again && stream.Position == fresh.Size()
	})
}

// fileWithInode makes files until one has one of these inodes, and returns its path. Without one, the test is skipped.
func fileWithInode(t *testing.T, dir string, inodes map[uint64]bool) string {
	t.Helper()
	const most = 2_000
	var others []string
	defer func() {
		for _, path := range others {
			os.Remove(path)
		}
	}()
	for range most {
		f, err := os.CreateTemp(dir, "fresh")
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if inodes[inodeOf(t, f.Name())] {
			return f.Name()
		}
		others = append(others, f.Name())
	}
	t.Skipf("NOT PROVEN: this file system gave none of %d new files an inode that was free again", most)
	return ""
}

func inodeOf(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

// holeAfterTruncation is copytruncate under a writer that does not append: it goes on at its old offset, and the file
// begins with a hole.
func holeAfterTruncation(_ *testing.T, s *chaos.Script) {
	app, fresh := s.Text("app"), s.Text("fresh")
	f := s.Create("app.log")
	s.WriteTo(f, app.Next(100))
	s.Stored()
	s.Operate(func() {
		s.WriteTo(f, app.Next(backlog))
		s.Do("cp", "app.log", "app.log.1")
		s.Do("truncate", "--size=0", "app.log")
		s.WriteTo(f, fresh.Next(100))
	})
	s.WriteTo(f, fresh.Next(100))
	s.Stored()
	if s.Way != chaos.Killed { // one that is killed may have stored the line and not have come to say it
		s.AwaitLog(0, "does not append")
	}
}
