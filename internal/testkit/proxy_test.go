package testkit_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/testkit"
)

// table returns a database whose schema has a table "n", a proxy to it, and a connection through that.
func table(t *testing.T) (testkit.DB, *testkit.FaultyProxy, string) {
	t.Helper()
	db := testkit.Postgres(t)
	sql := "create schema " + db.Schema + "; create table " + db.Schema + ".n (n integer)"
	if _, err := db.Connect(t).Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
	proxy, url := testkit.ProxyURL(t, db.URL)
	return db, proxy, url
}

func count(t *testing.T, db testkit.DB) (rows int) {
	t.Helper()
	if err := db.Connect(t).QueryRow(t.Context(), "select count(*) from "+db.Schema+".n").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func insert(t *testing.T, db testkit.DB, url string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		return err
	}
	// A table large enough that messages span several reads.
	rows := make([][]any, 50_000)
	for i := range rows {
		rows[i] = []any{int32(i)}
	}
	if _, err := tx.CopyFrom(t.Context(), pgx.Identifier{db.Schema, "n"}, []string{"n"}, pgx.CopyFromRows(rows)); err != nil {
		return err
	}
	return tx.Commit(t.Context())
}

func TestProxyForwards(t *testing.T) {
	t.Parallel()
	db, proxy, url := table(t)
	proxy.Delay(time.Microsecond)
	if err := insert(t, db, url); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 50_000 {
		t.Errorf("%d rows", n)
	}
}

func TestProxyCutsAroundCommit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault func(*testkit.FaultyProxy)
		want  int
	}{
		"after":            {(*testkit.FaultyProxy).CutAfterCommit, 50_000},
		"before":           {(*testkit.FaultyProxy).CutBeforeCommit, 0},
		"after of a copy":  {(*testkit.FaultyProxy).CutAfterCopyCommit, 50_000},
		"before of a copy": {(*testkit.FaultyProxy).CutBeforeCopyCommit, 0},
		"in the copy":      {(*testkit.FaultyProxy).CutInCopy, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, proxy, url := table(t)
			if strings.HasSuffix(name, "of a copy") {
				test.fault(proxy)
				if _, err := testkit.Connect(t, url).PgConn().Exec(t.Context(), "begin; select 1; commit").ReadAll(); err != nil {
					t.Errorf("a commit without a copy was hit: %v", err)
				}
			}
			test.fault(proxy)
			if !proxy.FaultPending() {
				t.Error("the fault is not set")
			}
			if err := insert(t, db, url); err == nil {
				t.Error("the client saw the commit's answer")
			}
			if proxy.FaultPending() {
				t.Error("the fault is still set")
			}
			if n := count(t, db); n != test.want {
				t.Errorf("%d rows, want %d", n, test.want)
			}
			if err := insert(t, db, url); err != nil {
				t.Errorf("a second commit was hit too: %v", err)
			}
		})
	}
}

// A COMMIT may reach the server when its client has long given up.
func TestProxyHoldsCommit(t *testing.T) {
	t.Parallel()
	db, proxy, url := table(t)
	proxy.HoldCommit()
	if err := insert(t, db, url); err == nil {
		t.Error("the client saw the commit's answer")
	}
	conn := db.Connect(t)
	state := func() (state string) {
		sql := "select coalesce((select state from pg_stat_activity where pid = $1), 'gone')"
		if err := conn.QueryRow(t.Context(), sql, proxy.Held()).Scan(&state); err != nil {
			t.Fatal(err)
		}
		return state
	}
	if s, n := state(), count(t, db); s != "idle in transaction" || n != 0 {
		t.Errorf("while the commit is held the session is %s, there are %d rows", s, n)
	}
	proxy.Release()
	testkit.Eventually(t, "the commit is done", func() bool {
		var n int
		err := conn.QueryRow(t.Context(), "select count(*) from "+db.Schema+".n").Scan(&n)
		return err == nil && n == 50_000
	})
}

// While a connection is held in the middle of a COPY the server waits for the rest, others go on, and a terminated
// session frees the client.
func TestProxyHoldsInCopy(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"released": 100_000, "terminated": 50_000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, proxy, url := table(t)
			proxy.HoldInCopy()
			held := make(chan error, 1)
			go func() { held <- insert(t, db, url) }()
			testkit.Eventually(t, "a connection is held", func() bool { return proxy.Held() != 0 })
			if err := insert(t, db, url); err != nil {
				t.Errorf("another connection was hit: %v", err)
			}
			conn := db.Connect(t)
			testkit.Eventually(t, "its session is in the COPY", func() (copying bool) {
				const sql = "select exists (select from pg_stat_progress_copy where pid = $1)"
				if err := conn.QueryRow(t.Context(), sql, proxy.Held()).Scan(&copying); err != nil {
					t.Fatal(err)
				}
				return copying
			})
			if name == "released" {
				proxy.Release()
			} else if _, err := conn.Exec(t.Context(), "select pg_terminate_backend($1)", proxy.Held()); err != nil {
				t.Fatal(err)
			}
			if err := <-held; (err == nil) != (name == "released") {
				t.Errorf("the held client got %v", err)
			}
			if n := count(t, db); n != want {
				t.Errorf("%d rows, want %d", n, want)
			}
		})
	}
}

// A COMMIT in the extended protocol, in parts, is recognised as well.
func TestProxyCutsAfterPreparedCommit(t *testing.T) {
	t.Parallel()
	db, proxy, url := table(t)
	conn := testkit.Connect(t, url)
	proxy.CutAfterCommit()
	batch := &pgx.Batch{}
	batch.Queue("begin")
	batch.Queue("insert into "+db.Schema+".n values ($1)", 1)
	batch.Queue("commit")
	if err := conn.SendBatch(t.Context(), batch).Close(); err == nil {
		t.Error("the client saw the commit's answer")
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestProxyCutsAndRefuses(t *testing.T) {
	t.Parallel()
	_, proxy, url := table(t)
	conn := testkit.Connect(t, url)
	proxy.Cut()
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the connection still works")
	}
	proxy.Refuse(true)
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		conn.Close(t.Context())
		t.Error("a new connection was made")
	}
	proxy.Refuse(false)
	testkit.Connect(t, url)
}

func TestProxyStalls(t *testing.T) {
	t.Parallel()
	_, proxy, url := table(t)
	conn := testkit.Connect(t, url)
	proxy.Stall(true)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := conn.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("answered while stalled: %v", err)
	}
	proxy.Stall(false)
	if err := testkit.Connect(t, url).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// A client that would rather talk TLS is told that there is none.
func TestProxyDeclinesEncryption(t *testing.T) {
	t.Parallel()
	_, _, url := table(t)
	conn := testkit.Connect(t, strings.Replace(url, "sslmode=disable", "sslmode=prefer", 1))
	if err := conn.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// A server that is away looks like one that resets connections.
func TestProxyWithoutServer(t *testing.T) {
	t.Parallel()
	proxy := testkit.Proxy(t, "unix", t.TempDir()+"/none")
	conn, err := net.Dial("tcp", proxy.Addr())
	if err != nil {
		return // reset that early
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("something answered")
	}
}
