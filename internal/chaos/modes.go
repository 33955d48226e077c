package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"logflume/internal/testkit"
)

// A Mode is a way in which a service rotates its files, or has them rotated.
type Mode struct {
	Name    string
	Options []string // of the program in writers/slogwriter
	Python  []string // of writers/rotating.py, which writes instead if this is not nil
	Watch   []string // further patterns of files, which begin in the directory of logs
	Files   string   // further YAML of the configuration's files section

	Awaits  bool // the writer waits for lines to be stored, so it cannot write a backlog
	Reuses  bool // files must have had the inodes of earlier ones, where the file system gives them again
	Smaller int  // so many times more rotations; 0 means 1

	Logrotate bool // the program of that name rotates
}

// Modes are all of them.
var Modes = []Mode{
	{Name: "rename_create", Options: []string{"-mode", "rename", "-torn"}},
	{Name: "rename_late_writer", Options: []string{"-mode", "late", "-late", "0.8"}},
	{Name: "rename_gzip", Options: []string{"-mode", "gzip"}},
	{Name: "python_cascade", Python: []string{}},
	{Name: "python_timed", Python: []string{"--timed"}},
	{Name: "dated_names", Options: []string{"-mode", "dated"}},
	{Name: "copytruncate", Options: []string{"-mode", "copytruncate", "-late", "0.3"}, Files: "copy_wait: 10s"},
	{
		Name: "copytruncate_by_logrotate", Options: []string{"-mode", "logrotate-copytruncate"},
		Files: "copy_wait: 10s", Logrotate: true,
	},
	{Name: "create_delaycompress_by_logrotate", Options: []string{"-mode", "logrotate-create"}, Logrotate: true},
	{Name: "create_compress_by_logrotate", Options: []string{"-mode", "logrotate-compress"}, Logrotate: true},
	{Name: "delete_create", Options: []string{"-mode", "delete", "-await", "stored"}, Awaits: true},
	{
		Name: "inode_reuse", Options: []string{"-mode", "delete", "-await", "stored"},
		Files: "grace: 1s", Awaits: true, Reuses: true, Smaller: 2,
	},
	{Name: "symlink_to_new_file", Options: []string{"-mode", "symlink"}},
	{Name: "symlink_to_new_directory", Options: []string{"-mode", "data", "-await", "seen"}, Awaits: true},
	{
		Name: "container_link", Options: []string{"-mode", "container", "-await", "seen"},
		Watch: []string{"containers/*.log"}, Awaits: true,
	},
	{Name: "thousand_files", Options: []string{"-mode", "many", "-files", "1000"}},
}

// Prepare ends the test if a program that the mode needs is not there.
func (m Mode) Prepare(t testing.TB) {
	t.Helper()
	if m.Logrotate {
		testkit.Logrotate(t)
	}
}

// Write starts the service of a mode, whose file is rotated after so many lines.
func (r *Rig) Write(m Mode, every int) *Writer {
	r.t.Helper()
	rotate := fmt.Sprint(every / max(1, m.Smaller))
	if m.Python != nil {
		return r.Python("python", append([]string{"--every", rotate}, m.Python...)...)
	}
	options := append([]string{"-every", rotate, "-stored", r.storedPath()}, m.Options...)
	if m.Logrotate {
		options = append(options, "-logrotate", testkit.Logrotate(r.t), "-work", r.dir)
	}
	return r.Go("slog", options...)
}

// reusesInodes reports whether a new file in dir has the inode of one that was deleted before.
func reusesInodes(dir string) (bool, error) {
	inodes := map[uint64]bool{}
	for range 2 {
		path := filepath.Join(dir, "probe")
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return false, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return false, err
		}
		inodes[info.Sys().(*syscall.Stat_t).Ino] = true
		if err := os.Remove(path); err != nil {
			return false, err
		}
	}
	return len(inodes) == 1, nil
}
