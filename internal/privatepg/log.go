package privatepg

import (
	"os"
	"path/filepath"
	"strings"
)

// maxTail bounds how much of its log's end a server is asked for.
const maxTail = 64 << 10

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
	log, err := os.Open(s.LogPath())
	if err != nil {
		return err.Error()
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return err.Error()
	}
	tail := make([]byte, min(info.Size(), maxTail))
	read, _ := log.ReadAt(tail, info.Size()-int64(len(tail))) // what was read counts
	lines := strings.Split(strings.TrimRight(string(tail[:read]), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
