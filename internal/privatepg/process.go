package privatepg

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

// keeper is the shell program that owns a server process. Its arguments are a directory to remove if its parent
// vanishes and the server's command line. It prints the server's process id. Each line it reads names a
// signal for the server; at the end of its input it ends the server abruptly. It ends when the server has.
//
// The shell is the server's parent, so the process id cannot come to mean another process before it has been waited for.
const keeper = `
remove=$1
shift
exec 3<&0 </dev/null
"$@" >&2 3<&- &
server=$!
echo "$server"
{
	while read -r signal <&3; do
		kill -s "$signal" "$server"
	done
	kill -s QUIT "$server"
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

// A process is a running server with its keeper.
type process struct {
	cmd    *exec.Cmd
	input  *os.File // signals for the server; the keeper ends it when this is closed
	output *os.File // reads the server's id once, then nothing until the keeper has ended
	pid    int      // of the server
}

// launch starts the server's command line as user who (nil: ourselves), its output going to log.
func launch(command []string, who *syscall.Credential, remove string, log *os.File) (*process, error) {
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

	cmd := exec.Command("/bin/sh", append([]string{"-c", keeper, "sh", remove}, command...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, log
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	// A session of its own: Ctrl-C on our terminal is for us to answer.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: who}
	p := &process{cmd: cmd, input: input, output: output}
	if err := cmd.Start(); err != nil {
		input.Close()
		output.Close()
		return nil, err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err == nil {
		p.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the server's process id: %w", err), p.close())
	}
	return p, nil
}

// ended waits up to d for the server to end and reports whether it has.
func (p *process) ended(d time.Duration) bool {
	if err := p.output.SetReadDeadline(time.Now().Add(d)); err != nil {
		return true // it was closed
	}
	_, err := p.output.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

// signal sends the server a signal, named without SIG, and waits until it has ended or ctx does.
func (p *process) signal(ctx context.Context, name string) error {
	// A keeper that is gone already makes this fail, and the loop end at once.
	_, _ = io.WriteString(p.input, name+"\n")
	for !p.ended(50 * time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// close ends the server abruptly if it still runs, waits for it, and gives back what the process holds.
func (p *process) close() error {
	// Ended by a signal first: to close the input is to vanish, and what is temporary would be removed.
	_ = p.signal(context.Background(), string(Immediate))
	p.input.Close()
	var failed *exec.ExitError
	err := p.cmd.Wait()
	p.output.Close()
	if errors.As(err, &failed) { // how the server ended is in its log
		return nil
	}
	return err
}
