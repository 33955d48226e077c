package privatepg

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"logflume/internal/keeper"
)

const (
	superuser  = "postgres"
	socketPort = 5432 // part of the socket's name

	// fastStop is how long a fast stop may take before it becomes an immediate one.
	fastStop = 30 * time.Second
)

// A Mode is a way to stop a server.
type Mode string

const (
	Fast      Mode = "INT"  // roll back what is open, write everything out, end
	Immediate Mode = "QUIT" // end at once, as in a crash; the next start recovers
)

// A Server is a data directory and, unless it is stopped, the server on it.
type Server struct {
	Dir          string // the data directory
	Installation Installation

	options  Options
	who      *syscall.Credential
	base     string // a temporary directory with the socket and, unless one was given, the data directory
	port     int
	password string // "" without TCP

	mu      sync.Mutex
	process *keeper.Process // nil while stopped
}

// Start initialises the data directory if it is new and starts a server on it. It returns when the server accepts
// connections. The caller ends it with Close.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{options: o, Installation: o.Installation, who: serverUser(), port: socketPort}
	var err error
	if s.Installation.Bin == "" {
		if s.Installation, err = Find(); err != nil {
			return nil, err
		}
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.Start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Start starts a stopped server again, at the same place and address, and waits until it accepts connections. A server
// that runs is left alone.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil && !s.process.Ended(0) {
		return nil
	}
	if err := s.endLocked(); err != nil {
		return err
	}
	log, err := s.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	command := []string{
		s.Installation.program("postgres"), "-D", s.Dir,
		"-c", "port=" + strconv.Itoa(s.port), "-c", "unix_socket_directories=" + s.base, "-c", "listen_addresses=",
	}
	if s.options.TCP {
		command[len(command)-1] += "127.0.0.1"
	}
	s.process, err = keeper.Start(keeper.Command{
		Args: command, User: s.who, Log: log, Abrupt: string(Immediate), Remove: s.base,
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", command[0], err)
	}
	for !s.readyLocked() {
		if s.process.Ended(10 * time.Millisecond) {
			return errors.Join(fmt.Errorf("the server on %s ended at its start:\n%s", s.Dir, s.LogTail(20)), s.endLocked())
		}
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("start the server on %s: %w", s.Dir, ctx.Err()), s.endLocked())
		}
	}
	return nil
}

// readyLocked reports whether the server accepts connections, by the file that it keeps for this purpose: the first
// line is its process id, the eighth its state.
func (s *Server) readyLocked() bool {
	text, err := os.ReadFile(filepath.Join(s.Dir, "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	return len(lines) >= 8 && lines[0] == strconv.Itoa(s.process.PID) && strings.TrimSpace(lines[7]) == "ready"
}

// Stop ends the server and waits until it has ended. A stopped server is left alone. A fast stop that takes too long
// becomes an immediate one.
func (s *Server) Stop(mode Mode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), fastStop)
	defer cancel()
	_ = s.process.Signal(ctx, string(mode)) // endLocked ends what is still there
	return s.endLocked()
}

func (s *Server) endLocked() error {
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	return p.Close()
}

// Close stops the server and removes everything that Start made, except a data directory that was given.
func (s *Server) Close() error {
	mode := Immediate
	if s.options.Dir != "" { // the data stays, so it is worth a clean end
		mode = Fast
	}
	err := s.Stop(mode)
	if s.base != "" {
		err = errors.Join(err, os.RemoveAll(s.base))
	}
	return err
}

// PID returns the id of the server's first process, 0 while it is stopped.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.PID
}

// SocketDir returns the directory of the server's Unix socket.
func (s *Server) SocketDir() string { return s.base }

// URL returns the connection string of a database for the server's superuser.
func (s *Server) URL(database string) string {
	if !s.options.TCP {
		host := strings.ReplaceAll(url.QueryEscape(s.base), "%2F", "/")
		return fmt.Sprintf("postgres://%s@/%s?host=%s", superuser, url.PathEscape(database), host)
	}
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?sslmode=disable", superuser, s.password, s.port, url.PathEscape(database))
}

// PsqlCommand returns the shell command that connects a person to the database.
func (s *Server) PsqlCommand(database string) string {
	psql := "psql"
	if _, err := os.Stat(s.Installation.program("psql")); err == nil {
		psql = s.Installation.program("psql")
	}
	return psql + " '" + s.URL(database) + "'"
}
