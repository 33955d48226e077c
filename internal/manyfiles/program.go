package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A program is a running logflume.
type program struct {
	command *exec.Cmd
	address string // of its telemetry
	log     logText
	ended   chan struct{}
	err     error // valid when ended is closed
}

// logText is what a program prints.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
	also io.Writer // nil for nobody
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.also != nil {
		_, _ = l.also.Write(p)
	}
	return l.text.Write(p)
}

func (l *logText) contains(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.text.Bytes(), []byte(part))
}

func (l *logText) tail() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.text.Bytes()
	return bytes.Clone(all[max(0, len(all)-4<<10):])
}

// start starts logflume on the files of w, with everything at its default.
func start(p plan, w *work, url, schema string) (*program, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // finds a free port
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	listener.Close()
	config := filepath.Join(w.root, "logflume.yaml")
	text := fmt.Sprintf("host: manyfiles\ndatabase: {url: %q, schema: %s}\nsources:\n  - file: {paths: [%q]}\ntelemetry: {listen: %q}\n",
		url, schema, w.pattern(), address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	args := []string{p.binary, "run", "--config", config}
	if p.limit > 0 {
		args = append([]string{"/bin/sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$@"`, p.limit), "sh"}, args...)
	}
	run := &program{command: exec.Command(args[0], args[1:]...), address: address, ended: make(chan struct{})}
	if p.verbose {
		run.log.also = os.Stderr
	}
	run.command.Stdout, run.command.Stderr = &run.log, &run.log
	run.command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.root, "TMPDIR=" + os.TempDir()}
	run.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := run.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		run.err = run.command.Wait()
		close(run.ended)
	}()
	return run, nil
}

// stop ends the program as an operator does.
func (r *program) stop() error {
	_ = r.command.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-r.ended:
	case <-time.After(time.Minute):
		_ = r.command.Process.Kill()
		<-r.ended
		return errors.New("logflume did not end within a minute")
	}
	if r.err != nil {
		return fmt.Errorf("logflume: %w\n%s", r.err, r.log.tail())
	}
	return nil
}

// ready asks /readyz.
func (r *program) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.address+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// until asks whether is holds every pause until it does. It returns an error when ctx ends, the program does, or ten
// minutes have passed.
func (r *program) until(ctx context.Context, what string, pause time.Duration, is func() (bool, error)) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	late := time.After(10 * time.Minute)
	for {
		if ok, err := is(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-r.ended:
			return fmt.Errorf("logflume ended by itself: %w\n%s", r.err, r.log.tail())
		case <-late:
			return fmt.Errorf("waited in vain: %s\n%s", what, r.log.tail())
		}
	}
}
