package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"logflume/internal/privatepg"
	"logflume/internal/testkit"
)

// The program as its users meet it: each file in testdata/script is a shell session. Besides the commands of package
// testscript there are
//
//	exits CODE COMMAND...   runs a command that must end with that code
//	sql QUERY               prints the rows of an answer, their columns separated by blanks
//	await QUERY VALUE       waits until the answer is that value
//	await-log FILE TEXT     waits until the file holds the text
//	password-server         starts a server that asks for passwords and has no TLS; $PASSWORD_URL is its login,
//	                        $WRONG_PASSWORD_URL a wrong one, and $TLS_URL asks for TLS
//	write-lines FROM TO FILE  writes JSON lines with the numbers FROM to TO
//	signal NAME             sends TERM, INT or HUP to the program in the background
//	get URL                 prints the answer of a web server, whatever its status
//	kafka need              gives the program in the script what it needs to start a broker itself
//	kafka new [MECHANISMS]  starts a broker: $KAFKA_CLEAR, $KAFKA_TLS (ca.pem; wants client.pem, client.key) and $KAFKA_SASL
//	                        (also ca.pem) are its ports; user logflume, password $KAFKA_PASSWORD, may read topic logs in
//	                        group logflume, describe topic and group "described", and do nothing with topic private
//	kafka stop, kafka start   stops that broker and starts it again
//	kafka produce FROM TO TOPIC  writes the lines of write-lines to a topic
//
// In the environment, $LOG_DATABASE_URL and $LOGFLUME_DATABASE_SCHEMA name an empty schema for the script alone, $SCHEMA
// is its name. $NOBODY_URL and $POOR_URL are logins that do not exist and that is called poor_$SCHEMA, and nobody listens
// at $AWAY_URL and at $FREE_PORT.
func TestScripts(t *testing.T) {
	t.Parallel()
	program := testkit.Binary(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			t := env.T().(testing.TB)
			db := testkit.Postgres(t)
			env.Values["t"], env.Values["url"], env.Values["values"] = t, db.URL, env.Values
			env.Setenv("PATH", filepath.Dir(program)+string(filepath.ListSeparator)+os.Getenv("PATH"))
			env.Setenv("LOG_DATABASE_URL", db.URL)
			env.Setenv("LOGFLUME_DATABASE_SCHEMA", db.Schema)
			env.Setenv("SCHEMA", db.Schema)
			env.Setenv("NOBODY_URL", withUser(db.URL, "nobody_at_all"))
			env.Setenv("POOR_URL", withUser(db.URL, "poor_"+db.Schema))
			port, err := freePort()
			env.Setenv("FREE_PORT", strconv.Itoa(port))
			env.Setenv("AWAY_URL", fmt.Sprintf("postgres://u@127.0.0.1:%d/db", port))
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":           scriptExits,
			"sql":             scriptSQL,
			"await":           scriptAwait,
			"await-log":       scriptAwaitLog,
			"password-server": scriptPasswordServer,
			"write-lines":     scriptWriteLines,
			"signal":          scriptSignal,
			"kafka":           scriptKafka,
			"get":             scriptGet,
		},
	})
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// withUser returns the connection string for another user without a password.
func withUser(database, user string) string {
	u, err := url.Parse(database)
	if err != nil {
		panic(err) // our own server's
	}
	u.User = url.User(user)
	return u.String()
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// query returns the rows of an answer as text. The search path is the script's schema.
func query(ts *testscript.TestScript, sql string) (string, error) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, ts.Value("url").(string))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SET search_path = "+ts.Getenv("SCHEMA")); err != nil {
		return "", err
	}
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return "", err
	}
	var lines []string
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return "", err
		}
		lines = append(lines, strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	return strings.Join(lines, "\n"), rows.Err()
}

func scriptSQL(ts *testscript.TestScript, _ bool, args []string) {
	answer, err := query(ts, strings.Join(args, " "))
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), answer)
}

func scriptAwait(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: await QUERY VALUE")
	}
	testkit.Eventually(ts.Value("t").(testing.TB), args[0]+" is "+args[1], func() bool {
		got, err := query(ts, args[0])
		return err == nil && got == args[1]
	})
}

func scriptAwaitLog(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: await-log FILE TEXT")
	}
	testkit.Eventually(ts.Value("t").(testing.TB), args[0]+" holds "+args[1], func() bool {
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && strings.Contains(string(content), args[1])
	})
}

func scriptPasswordServer(ts *testscript.TestScript, _ bool, _ []string) {
	server, err := privatepg.Start(context.Background(), privatepg.Options{TCP: true})
	ts.Check(err)
	ts.Defer(func() { ts.Check(server.Close()) })
	right := server.URL("postgres")
	wrong, err := url.Parse(right)
	ts.Check(err)
	wrong.User = url.UserPassword(wrong.User.Username(), "hunter2")
	ts.Setenv("PASSWORD_URL", right)
	ts.Setenv("WRONG_PASSWORD_URL", wrong.String())
	ts.Setenv("TLS_URL", strings.Replace(right, "sslmode=disable", "sslmode=verify-full", 1))
}

func scriptWriteLines(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: write-lines FROM TO FILE")
	}
	from, err := strconv.Atoi(args[0])
	ts.Check(err)
	to, err := strconv.Atoi(args[1])
	ts.Check(err)
	var b strings.Builder
	for i := from; i <= to; i++ {
		b.WriteString(numberedLine(i) + "\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(b.String()), 0o644))
}

func numberedLine(n int) string {
	return fmt.Sprintf(`{"level":"INFO","message":"line %d","service":"test","n":%d}`, n, n)
}

func scriptGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: get URL")
	}
	answer, err := http.Get(args[0])
	ts.Check(err)
	defer answer.Body.Close()
	_, err = io.Copy(ts.Stdout(), answer.Body)
	ts.Check(err)
}

func scriptSignal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP}
	running := ts.BackgroundCmds()
	if len(args) != 1 || signals[args[0]] == nil || len(running) != 1 {
		ts.Fatalf("usage: signal TERM|INT|HUP, with one program in the background")
	}
	ts.Check(running[0].Process.Signal(signals[args[0]]))
}
