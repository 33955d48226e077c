package keeper

import (
	"os"
	"strings"
)

// maxTail bounds how much of a log's end is read, in bytes.
const maxTail = 64 << 10

// LogTail returns up to n last lines of the log of a server, or what went wrong reading them.
func LogTail(path string, n int) string {
	log, err := os.Open(path)
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
