package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// Unprivileged has instances run as somebody who may not read every file: whom the server runs as, if we are root. Where
// that is impossible the test is skipped.
func (s *Script) Unprivileged() {
	s.t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	config, err := pgx.ParseConfig(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	user := uint32(65534) // nobody
	// Only the owner of the socket's directory may enter it.
	if info, err := os.Stat(config.Host); err == nil {
		user = info.Sys().(*syscall.Stat_t).Uid
	}
	command := []string{"setpriv", fmt.Sprintf("--reuid=%d", user), fmt.Sprintf("--regid=%d", user), "--clear-groups"}
	if out, err := exec.Command(command[0], append(command[1:], "true")...).CombinedOutput(); user == 0 || err != nil {
		s.t.Skipf("NOT PROVEN: nobody else than root can be had here: %v: %s", err, out)
	}
	program := filepath.Join(s.dir, "logflume")
	if out, err := exec.Command("cp", s.program, program).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	for _, dir := range []string{filepath.Dir(s.dir), s.dir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	s.program, s.wrapper = program, command
}
