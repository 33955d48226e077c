package privatepg_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"logflume/internal/privatepg"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

func start(t *testing.T, o privatepg.Options) *privatepg.Server {
	t.Helper()
	s, err := privatepg.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask returns the text of a query's only value; another statement may stand before it.
func ask(t *testing.T, url, query string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	setUp, query, found := strings.Cut(query, "; ")
	if !found {
		setUp, query = "", setUp
	}
	if _, err := conn.Exec(t.Context(), setUp); err != nil {
		t.Fatal(err)
	}
	var answer string
	if err := conn.QueryRow(t.Context(), query).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestServerOnSocket(t *testing.T) {
	t.Parallel()
	s := start(t, privatepg.Options{Settings: map[string]string{"application_name": `it's a \ test`}})
	url := s.URL("postgres")
	for query, want := range map[string]string{
		"show listen_addresses":        "",
		"show server_encoding":         "UTF8",
		"show timezone":                "UTC",
		"show fsync":                   "off",
		"show unix_socket_permissions": "0700",
		"select boot_val || reset_val from pg_settings where name = 'max_locks_per_transaction'": "64256",
		"select setting from pg_file_settings where name = 'application_name' and applied":       `it's a \ test`,
	} {
		if got := ask(t, url, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	info, err := os.Stat(s.SocketDir())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("others may enter the socket's directory: %v", info.Mode())
	}
	if command := s.PsqlCommand("postgres"); !strings.Contains(command, "psql '"+url+"'") {
		t.Errorf("no connection string in %q", command)
	}
}

func TestServerOnPort(t *testing.T) {
	t.Parallel()
	s := start(t, privatepg.Options{TCP: true})
	url := s.URL("postgres")
	if got := ask(t, url, "select host(inet_server_addr())"); got != "127.0.0.1" {
		t.Errorf("server listens on %s", got)
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.Password = "wrong"
	if conn, err := pgx.ConnectConfig(t.Context(), config); err == nil {
		conn.Close(t.Context())
		t.Error("a wrong password was accepted")
	}
}

// What was committed before a stop of either kind is there after it, at the same address.
func TestStopAndStart(t *testing.T) {
	t.Parallel()
	for _, mode := range []privatepg.Mode{privatepg.Fast, privatepg.Immediate} {
		s := start(t, privatepg.Options{TCP: true})
		url := s.URL("postgres")
		ask(t, url, "create table kept as select 'yes' as answer; select ''")
		pid := s.PID()
		for range 2 { // the second finds nothing to do
			if err := s.Stop(mode); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat("/proc/" + strconv.Itoa(pid)); err == nil || s.PID() != 0 {
			t.Errorf("%s: server %d still runs", mode, pid)
		}
		for range 2 {
			if err := s.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := ask(t, url, "select answer from kept"); got != "yes" {
			t.Errorf("%s: got %q", mode, got)
		}
		recovered := strings.Contains(s.LogTail(1000), "was not properly shut down")
		if recovered != (mode == privatepg.Immediate) {
			t.Errorf("%s: recovered = %v\n%s", mode, recovered, s.LogTail(1000))
		}
	}
}

// A server that ended by itself is started again like one that was stopped.
func TestStartAfterCrash(t *testing.T) {
	t.Parallel()
	s := start(t, privatepg.Options{})
	crashed := s.PID()
	if err := syscall.Kill(crashed, syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for s.PID() == crashed { // Start leaves it alone until it has ended
		if err := s.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if ctx.Err() != nil {
			t.Fatal("it was not started again")
		}
	}
	if got := ask(t, s.URL("postgres"), "select 'yes'"); got != "yes" {
		t.Errorf("got %q", got)
	}
}

// openDir returns a directory of the test that everybody may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestGivenDirectoryStays(t *testing.T) {
	t.Parallel()
	data := filepath.Join(openDir(t), "data")
	for range 2 {
		s, err := privatepg.Start(t.Context(), privatepg.Options{Dir: data, TCP: true})
		if err != nil {
			t.Fatal(err)
		}
		ask(t, s.URL("postgres"), "create table if not exists kept (); select ''")
		if got := ask(t, s.URL("postgres"), "select count(*)::text from pg_class where relname = 'kept'"); got != "1" {
			t.Errorf("got %s", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(s.SocketDir()); err == nil {
			t.Errorf("%s was left", s.SocketDir())
		}
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	t.Run("setting", func(t *testing.T) {
		t.Parallel()
		_, err := privatepg.Start(t.Context(), privatepg.Options{Settings: map[string]string{"no_such_setting": "1"}})
		if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
			t.Errorf("the error does not say why: %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if s, err := privatepg.Start(ctx, privatepg.Options{}); err == nil {
			s.Close()
			t.Error("started although the context had ended")
		}
	})
	t.Run("version", func(t *testing.T) {
		t.Parallel()
		dir := openDir(t)
		if err := os.WriteFile(filepath.Join(dir, "PG_VERSION"), []byte("9.6\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := privatepg.Start(t.Context(), privatepg.Options{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "was made by PostgreSQL 9.6") {
			t.Errorf("the error does not say why: %v", err)
		}
	})
	t.Run("closed directory", func(t *testing.T) {
		t.Parallel()
		if os.Geteuid() != 0 {
			t.Skip("only root starts servers as somebody else")
		}
		dir := t.TempDir()
		if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := privatepg.Start(t.Context(), privatepg.Options{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "may not enter "+filepath.Dir(dir)) {
			t.Errorf("the error does not say why: %v", err)
		}
	})
}

// childVariable makes the test binary start a server, print its process id and directory, and wait.
const childVariable = "LOGFLUME_TEST_PRIVATEPG_CHILD"

func child() int {
	s, err := privatepg.Start(context.Background(), privatepg.Options{})
	if err != nil {
		println(err.Error())
		return 1
	}
	os.Stdout.WriteString(strconv.Itoa(s.PID()) + " " + s.SocketDir() + "\n")
	os.Stdin.Read(make([]byte, 1))
	return 0 // without Close
}

// A server and its temporary directory vanish with their process, killed or just ended.
func TestServerEndsWithParent(t *testing.T) {
	t.Parallel()
	for _, kill := range []bool{true, false} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"=1")
		cmd.Stderr = os.Stderr
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 4096)
		n, err := stdout.Read(line)
		if err != nil {
			t.Fatal(err)
		}
		pid, dir, _ := strings.Cut(strings.TrimSpace(string(line[:n])), " ")
		if kill {
			cmd.Process.Kill()
		} else {
			stdin.Close()
		}
		cmd.Wait()
		gone := func(path string) bool { _, err := os.Stat(path); return os.IsNotExist(err) }
		poll := time.NewTicker(10 * time.Millisecond)
		defer poll.Stop()
		for !gone(dir) || !gone("/proc/"+pid) {
			select {
			case <-poll.C:
			case <-t.Context().Done():
				t.Fatalf("server %s or %s is still there", pid, dir)
			}
		}
	}
}
