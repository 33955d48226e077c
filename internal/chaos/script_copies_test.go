package chaos_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"logflume/internal/chaos"
)

var copies = map[string]scriptCase{
	"plain_copy":           {small: []chaos.Way{chaos.Killed}, settings: shortWait, run: plainCopy},
	"equal_first_kilobyte": {small: []chaos.Way{chaos.Stopped}, settings: chaos.Settings{Parse: "format: json"}, run: equalFirstKilobyte},
	"moved_to_another_file_system_and_back": {
		small: []chaos.Way{chaos.Live, chaos.Stopped}, settings: shortWait, run: movedAndBack,
	},
	"restored_from_archive":  {small: []chaos.Way{chaos.Live}, settings: shortWait, run: restoredFromArchive},
	"restored_when_finished": {small: []chaos.Way{chaos.Stopped}, settings: shortWait, run: restoredWhenFinished},
}

// plainCopy copies a log beside itself. The copy is held, and passed over when nothing else shows that it is more than that.
func plainCopy(t *testing.T, s *chaos.Script) {
	app, other := s.Text("app"), s.Text("other")
	s.Append("app.log", app, 300)
	s.Stored()
	s.Operate(func() {
		s.Append("app.log", app, backlog)
		s.Do("cp", "app.log", "copy.log")
		s.Append("app.log", app, 100)
	})
	s.Stored()
	skipped := s.AwaitStream("is the copy", func(stream chaos.Stream) bool {
		return filepath.Base(stream.Path) == "copy.log" && stream.Position == stream.Size
	})
	if skipped.Lines != 0 {
		t.Errorf("%d lines of the copy were read", skipped.Lines)
	}
	s.AwaitLog(0, `"msg":"file is a copy of another and not read"`)
	if s.Way != chaos.Killed { // where another instance may be the one that counted it
		s.Await("the copy is counted", func() bool { return s.Metric("logflume_files_skipped_total") == 1 })
	}
	s.Append("copy.log", other, 10) // now it is a log of its own
	s.Append("app.log", app, 10)
}

// equalFirstKilobyte writes two files that begin with the same line, longer than what names a file's content. It is no
// JSON, so that its dead letters tell how often it was read.
func equalFirstKilobyte(_ *testing.T, s *chaos.Script) {
	banner := "# " + strings.Repeat("This service logs in JSON. ", 60) + "\n"
	a, b := s.Text("a"), s.Text("b")
	s.Write("a.log", banner)
	s.Append("a.log", a, 100)
	s.Stored()
	s.Operate(func() {
		s.Write("b.log", banner)
		s.Append("b.log", b, backlog)
		s.Append("a.log", a, 100)
	})
	s.Dead("json: neither an object nor an array of objects", 2)
}

// movedAndBack moves a log to a directory that no input matches, on another file system, and back: each is a copy and a
// removal. Then the writer goes on.
func movedAndBack(t *testing.T, s *chaos.Script) {
	away := filepath.Join(otherFileSystem(t, s.Logs), "app.log")
	app := s.Text("app")
	s.Append("app.log", app, 300)
	s.Stored()
	s.Operate(func() {
		s.Append("app.log", app, backlog)
		s.Do("mv", "app.log", away)
		s.Append(away, app, 10)
		s.Do("mv", away, "app.log")
		s.Append("app.log", app, 100)
	})
	s.Append("app.log", app, 100)
}

// otherFileSystem returns a directory that is not on the file system of dir. Without one, the test is skipped.
func otherFileSystem(t *testing.T, dir string) string {
	t.Helper()
	const memory = "/dev/shm"
	other, err := os.MkdirTemp(memory, "logflume-") //nolint:usetesting // not where the logs are
	if err != nil {
		t.Skipf("NOT PROVEN: there is no %s on this machine: %v", memory, err)
	}
	t.Cleanup(func() { os.RemoveAll(other) })
	if deviceOf(t, other) == deviceOf(t, dir) {
		t.Skipf("NOT PROVEN: %s is on the same file system as %s", memory, dir)
	}
	return other
}

func deviceOf(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return uint64(info.Sys().(*syscall.Stat_t).Dev) //nolint:unconvert // it is signed on some systems
}

// restoredFromArchive replaces a rotated file by what was archived of it: another inode with the same bytes.
func restoredFromArchive(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 300)
	s.Stored()
	s.Operate(func() {
		s.Append("app.log", app, backlog)
		s.Do("mv", "app.log", "app.log.1")
		s.Append("app.log", app, 100)
		archive(s)
		s.Do("rm", "app.log.1")
		restore(s)
	})
	s.Append("app.log", app, 100)
}

// restoredWhenFinished does so after the stream of the rotated file was closed.
func restoredWhenFinished(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 300)
	s.Do("mv", "app.log", "app.log.1")
	s.Append("app.log", app, 300)
	s.Stored()
	archive(s)
	s.Do("rm", "app.log.1")
	s.AwaitStream("is closed", isClosed)
	s.Operate(func() {
		restore(s)
		s.Append("app.log", app, 100)
	})
}

// archive packs the rotated file, and unpacks it elsewhere while its own inode is in use.
func archive(s *chaos.Script) {
	s.Do("tar", "czf", "archive.tgz", "app.log.1")
	s.Do("mkdir", "unpacked")
	s.Do("tar", "xzf", "archive.tgz", "-C", "unpacked")
	s.Do("rm", "archive.tgz")
}

func restore(s *chaos.Script) { s.Do("mv", "unpacked/app.log.1", "app.log.1") }
