package privatepg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// maxSocketDir keeps the socket's path below the 104 bytes that macOS allows (Linux: 108).
const maxSocketDir = 103 - len("/.s.PGSQL.65535.lock")

const (
	logName      = "server.log"
	settingsName = "logflume.conf"     // our settings, included from postgresql.conf
	passwordName = "logflume.password" // of the superuser, so that a data directory can be used again
)

// prepare makes the directories, initialises a new data directory and writes its configuration.
func (s *Server) prepare(ctx context.Context) error {
	if err := s.makeDirs(); err != nil {
		return err
	}
	for _, path := range []string{s.Dir, s.base, s.Installation.program("postgres")} {
		if err := reachable(path, s.who); err != nil {
			return err
		}
	}
	version, err := os.ReadFile(filepath.Join(s.Dir, "PG_VERSION"))
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := s.initialise(ctx); err != nil {
			return fmt.Errorf("initialise %s: %w", s.Dir, err)
		}
	case err != nil:
		return err
	case strings.TrimSpace(string(version)) != strconv.Itoa(s.Installation.Major):
		return fmt.Errorf("%s was made by PostgreSQL %s, but %s has version %s",
			s.Dir, strings.TrimSpace(string(version)), s.Installation.Bin, s.Installation.Version)
	}
	if err := os.WriteFile(filepath.Join(s.Dir, settingsName), []byte(s.options.configuration()), 0o600); err != nil {
		return err
	}
	if s.options.TCP {
		if err := s.chooseAddress(); err != nil {
			return err
		}
	}
	return give(s.Dir, s.who)
}

// makeDirs makes the temporary directory, where the path is short and the server's user may enter, and the data
// directory.
func (s *Server) makeDirs() error {
	var err error
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		if s.base, err = os.MkdirTemp(parent, "logflume-pg-"); err != nil {
			continue
		}
		if err = reachable(s.base, s.who); err == nil && len(s.base) <= maxSocketDir {
			break
		}
		if err == nil {
			err = fmt.Errorf("path of %s is too long for a socket", s.base)
		}
		os.Remove(s.base)
		s.base = ""
	}
	if err != nil {
		return fmt.Errorf("make a directory for the server's socket: %w", err)
	}
	s.Dir = s.options.Dir
	if s.Dir == "" {
		s.Dir = filepath.Join(s.base, "data")
	} else if s.Dir, err = filepath.Abs(s.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	return errors.Join(give(s.base, s.who), give(s.Dir, s.who))
}

// initialise runs initdb.
func (s *Server) initialise(ctx context.Context) error {
	password := rand.Text()
	passwordFile := filepath.Join(s.base, "password")
	if err := os.WriteFile(passwordFile, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	defer os.Remove(passwordFile)
	if err := give(passwordFile, s.who); err != nil {
		return err
	}
	locale := "C.UTF-8"
	if runtime.GOOS == "darwin" { // has it only since version 15
		locale = "C"
	}
	cmd := exec.CommandContext(ctx, s.Installation.program("initdb"), "-D", s.Dir, "-U", superuser,
		"--no-sync", "--no-instructions", "--encoding=UTF8", "--locale="+locale,
		"--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile="+passwordFile)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_MESSAGES=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: s.who}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w:\n%s", err, strings.TrimSpace(string(out)))
	}
	main, err := os.OpenFile(filepath.Join(s.Dir, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = main.WriteString("\ninclude '" + settingsName + "'\n")
	return errors.Join(err, main.Close(), os.WriteFile(filepath.Join(s.Dir, passwordName), []byte(password), 0o600))
}

// chooseAddress finds a free port and the password that protects it.
func (s *Server) chooseAddress() error {
	password, err := os.ReadFile(filepath.Join(s.Dir, passwordName))
	if err != nil {
		return fmt.Errorf("read the superuser's password: %w", err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.password, s.port = string(password), free.Addr().(*net.TCPAddr).Port
	return free.Close()
}
