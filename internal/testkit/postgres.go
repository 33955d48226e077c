package testkit

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"logflume/internal/privatepg"
)

// DatabaseVariable names the environment variable with the connection string of a server to use for tests.
const DatabaseVariable = "LOGFLUME_TEST_DATABASE_URL"

// A DB is a schema for one test.
type DB struct {
	URL    string // connection string of a superuser
	Schema string // a name nobody else uses; the schema does not exist yet and is dropped when the test ends
}

// shared is what the tests of one binary have in common.
var shared struct {
	mu       sync.Mutex
	url      string   // of the server, once it runs
	err      error    // why it could not be started
	brokers  []string // of the Kafka broker, once it runs
	kafkaErr error    // why it could not be started
	binaries map[string]*program
}

// Postgres returns a schema for this test on the server that all tests of the binary share.
func Postgres(t testing.TB) DB {
	t.Helper()
	url, err := sharedURL()
	if err != nil {
		t.Fatal(err)
	}
	db := DB{URL: url, Schema: "test_" + strings.ToLower(rand.Text()[:16])}
	t.Cleanup(func() {
		ctx := context.Background() // the test's own has ended
		conn, err := pgx.Connect(ctx, db.URL)
		if err != nil {
			t.Errorf("drop schema %s: %v", db.Schema, err)
			return
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, "drop schema if exists "+db.Schema+" cascade"); err != nil {
			t.Errorf("drop schema %s: %v", db.Schema, err)
		}
	})
	return db
}

func sharedURL() (string, error) {
	if url := os.Getenv(DatabaseVariable); url != "" {
		return url, nil
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.url == "" && shared.err == nil {
		var server *privatepg.Server
		// Not a test's context: the server is for all of them.
		server, shared.err = start(context.Background(), privatepg.Options{Settings: map[string]string{"max_connections": "200"}})
		if shared.err == nil {
			shared.url = server.URL("postgres")
			cleanups = append(cleanups, server.Close)
		}
	}
	return shared.url, shared.err
}

// start starts a server, of programs fetched from the network if this machine has none but npm.
func start(ctx context.Context, o privatepg.Options) (server *privatepg.Server, err error) {
	if o.Installation.Bin == "" {
		if o.Installation, err = privatepg.Obtain(ctx, slog.Default()); err != nil {
			return nil, err
		}
	}
	return privatepg.Start(ctx, o)
}

// Connect returns a connection that is closed when the test ends.
func (db DB) Connect(t testing.TB) *pgx.Conn { return Connect(t, db.URL) }

// Connect returns a connection that is closed when the test ends.
func Connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// Server starts a server for this test alone, which it may stop and start. It is removed when the test ends.
func Server(t testing.TB, o privatepg.Options) *privatepg.Server {
	t.Helper()
	server, err := start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", server.LogTail(20))
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}
