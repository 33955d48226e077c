package privatepg

import (
	"os"
	"path/filepath"

	"logflume/internal/keeper"
)

// openLog opens the server's log for appending, as the server's user may.
func (s *Server) openLog() (*os.File, error) {
	log, err := os.OpenFile(s.LogPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil && s.who != nil {
		err = log.Chown(int(s.who.Uid), int(s.who.Gid))
	}
	return log, err
}

// LogPath returns where the server's log is.
func (s *Server) LogPath() string { return filepath.Join(s.Dir, logName) }

// LogTail returns up to n last lines of the server's log, or what went wrong reading them.
func (s *Server) LogTail(n int) string {
	return keeper.LogTail(s.LogPath(), n)
}
