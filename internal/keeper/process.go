// Package keeper runs server processes that never outlive the process that started them.
//
// A [Process] stands for one running server and its keeper, a small shell that is the server's parent and reads a pipe
// whose other end only this process holds. The kernel closes that end at the latest when this process is gone, however
// that ends; the shell then ends the server and removes what was temporary.
//
// Concurrency: a Process has no lock, its user guards it, and it keeps no goroutine.
package keeper

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// keeper is the shell program that owns a server process. Its arguments are the signal that ends the server at once, a
// directory to remove if its parent vanishes and the server's command line. It prints the server's process id. Each line
// it reads names a signal for the server; at the end of its input it ends the server abruptly. It ends when the server
// has.
//
// The shell is the server's parent, so the process id cannot come to mean another process before it has been waited for.
const keeper = `
abrupt=$1
remove=$2
shift 2
exec 3<&0 </dev/null
"$@" >&2 3<&- &
server=$!
echo "$server"
{
	while read -r signal <&3; do
		kill -s "$signal" "$server"
	done
	kill -s "$abrupt" "$server"
	exit 0
} >/dev/null 2>&1 &
reader=$!
wait "$server"
status=$?
kill "$reader" 2>/dev/null
if wait "$reader"; then
	rm -rf -- "$remove"
fi
exit "$status"
`

// A Command says what to run.
type Command struct {
	Args   []string            // the program's path and its arguments
	User   *syscall.Credential // whom it runs as; nil for ourselves
	Log    *os.File            // gets its output
	Abrupt string              // the signal that ends it at once, named without SIG
	Remove string              // a directory to remove when this process vanishes without Close
}

// A Process is a running server with its keeper.
type Process struct {
	PID int // of the server

	abrupt string
	cmd    *exec.Cmd
	input  *os.File // signals for the server; the keeper ends it when this is closed
	output *os.File // reads the server's id once, then nothing until the keeper has ended
}

// Start starts the command. Its working directory is the root and its environment holds PATH, LC_ALL=C and TZ=UTC alone.
func Start(c Command) (*Process, error) {
	stdin, input, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	output, stdout, err := os.Pipe()
	if err != nil {
		input.Close()
		return nil, err
	}
	defer stdout.Close()

	cmd := exec.Command("/bin/sh", append([]string{"-c", keeper, "sh", c.Abrupt, c.Remove}, c.Args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, c.Log
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	// A session of its own: Ctrl-C on our terminal is for us to answer.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: c.User}
	p := &Process{abrupt: c.Abrupt, cmd: cmd, input: input, output: output}
	if err := cmd.Start(); err != nil {
		input.Close()
		output.Close()
		return nil, err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err == nil {
		p.PID, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the server's process id: %w", err), p.Close())
	}
	return p, nil
}

// leastWait is how long a look at the server takes if it runs: nothing is read when the deadline has passed already.
const leastWait = 10 * time.Millisecond

// Ended waits up to d, a moment at least, for the server to end and reports whether it has.
func (p *Process) Ended(d time.Duration) bool {
	if err := p.output.SetReadDeadline(time.Now().Add(max(d, leastWait))); err != nil {
		return true // it was closed
	}
	_, err := p.output.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

// Signal sends the server a signal, named without SIG, and waits until it has ended or ctx does.
func (p *Process) Signal(ctx context.Context, name string) error {
	// A keeper that is gone already makes this fail, and the loop end at once.
	_, _ = io.WriteString(p.input, name+"\n")
	for !p.Ended(50 * time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// Close ends the server abruptly if it still runs, waits for it, and gives back what the process holds.
func (p *Process) Close() error {
	// Ended by a signal first: to close the input is to vanish, and what is temporary would be removed.
	_ = p.Signal(context.Background(), p.abrupt)
	p.input.Close()
	var failed *exec.ExitError
	err := p.cmd.Wait()
	p.output.Close()
	if errors.As(err, &failed) { // how the server ended is in its log
		return nil
	}
	return err
}
