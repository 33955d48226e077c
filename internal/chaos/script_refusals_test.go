package chaos_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf16"

	"logflume/internal/chaos"
)

var refusals = map[string]scriptCase{
	"utf16":             {small: []chaos.Way{chaos.Live}, run: wideText},
	"not_regular":       {small: []chaos.Way{chaos.Killed}, run: notRegular},
	"permission_denied": {small: []chaos.Way{chaos.Live}, run: permissionDenied},
}

const refusal = `"msg":"file is not read"`

// wideText is in UTF-16, beside a file that can be read.
func wideText(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 100)
	s.Operate(func() {
		wide := []byte{0xFF, 0xFE}
		for _, unit := range utf16.Encode([]rune(strings.Repeat("breit\n", 100))) {
			wide = append(wide, byte(unit), byte(unit>>8))
		}
		s.Write("wide.log", string(wide))
		s.Append("app.log", app, backlog)
	})
	s.Refused("wide.log")
	s.Stored()
	s.AwaitLog(0, "the file is UTF-16 (byte order mark); only UTF-8 is read")
	s.Await("a file is refused", func() bool {
		s.Up()
		return s.Metric(`logflume_files{state="refused"}`) == 1
	})
}

// notRegular are a pipe, a device, a socket, a link to a device and a directory among the files.
func notRegular(t *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 100)
	s.Operate(func() {
		s.Do("mkfifo", "pipe.log")
		s.Do("mkdir", "directory.log")
		s.Do("ln", "-s", "/dev/zero", "device.log")
		listener, err := net.Listen("unix", filepath.Join(s.Logs, "socket.log"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		s.Append("app.log", app, backlog)
	})
	s.Stored()
	for _, name := range []string{"pipe.log", "device.log", "socket.log"} {
		s.AwaitLog(0, refusal+`,"path":"`+filepath.Join(s.Logs, name)+`","error":"not a regular file`)
	}
	// A pipe that nobody has open for reading cannot be opened for writing.
	f, err := os.OpenFile(filepath.Join(s.Logs, "pipe.log"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if !errors.Is(err, syscall.ENXIO) {
		f.Close()
		t.Errorf("logflume has opened the pipe: %v", err)
	}
}

// permissionDenied is what a file's owner may change.
func permissionDenied(_ *testing.T, s *chaos.Script) {
	s.Unprivileged()
	app, secret := s.Text("app"), s.Text("secret")
	s.Append("secret.log", secret, 100)
	s.Do("chmod", "000", "secret.log")
	s.Append("app.log", app, 100)
	s.Up()
	s.AwaitLog(0, "permission denied")
	s.Operate(func() {
		s.Append("app.log", app, backlog)
		s.Do("chmod", "644", "secret.log")
		s.Append("secret.log", secret, 100)
	})
}
