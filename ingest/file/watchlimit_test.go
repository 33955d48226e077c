//go:build linux

package file

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// When the kernel gives no further watches, or none at all, the log says which of its limits to raise, and files are
// read all the same.
func TestWatchLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ limit, message, remedy string }{
		{"max_inotify_watches", "a directory cannot be watched", "fs.inotify.max_user_watches"},
		{"max_inotify_instances", "directories cannot be watched", "fs.inotify.max_user_instances"},
	} {
		t.Run(c.limit, func(t *testing.T) {
			t.Parallel()
			// The limit is that of a name space of users, which the test is run in once more.
			cmd := exec.Command("/bin/sh", "-c", `echo "$LOGFLUME_TEST_FEW" > /proc/sys/user/`+c.limit+` || exit 77; exec "$0" "$@"`,
				os.Args[0], "-test.run=^TestReadWithoutWatches$", "-test.v")
			few := map[string]string{"max_inotify_watches": "2", "max_inotify_instances": "0"}[c.limit]
			cmd.Env = append(os.Environ(), "LOGFLUME_TEST_FEW="+few, "LOGFLUME_TEST_MESSAGE="+c.message, "LOGFLUME_TEST_REMEDY="+c.remedy)
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags:  syscall.CLONE_NEWUSER,
				UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
			}
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 77 {
				t.Skipf("no name space with a limit of its own: %v\n%s", err, out)
			}
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestReadWithoutWatches is what [TestWatchLimits] runs under the limit.
func TestReadWithoutWatches(t *testing.T) {
	message, remedy := os.Getenv("LOGFLUME_TEST_MESSAGE"), os.Getenv("LOGFLUME_TEST_REMEDY")
	if message == "" {
		t.Skip("run by TestWatchLimits")
	}
	w := newWorld(t, "*/*.log")
	dirs := []string{"a", "b", "c", "d", "e"}
	var lines []string
	for _, dir := range dirs {
		w.must(os.Mkdir(w.path(dir), 0o755))
		w.append(dir+"/app.log", "first of "+dir+"\n")
		lines = append(lines, "first of "+dir)
	}
	w.begin()
	w.expect(lines...)
	w.expectLog(message)
	w.expectLog(remedy)
	for _, dir := range dirs { // known files
		w.append(dir+"/app.log", "second of "+dir+"\n")
		lines = append(lines, "second of "+dir)
	}
	w.expect(lines...)
	for _, dir := range dirs { // and new ones
		w.append(dir+"/new.log", "new in "+dir+"\n")
		lines = append(lines, "new in "+dir)
	}
	w.expect(lines...)
}
