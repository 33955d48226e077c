package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	connectTimeout = 10 * time.Second
	closeTimeout   = time.Second

	begin = "BEGIN ISOLATION LEVEL READ COMMITTED"
)

// Limits of the server's patience with a transaction, in milliseconds as its settings count.
type limits struct {
	lock      int // how long a statement waits for a lock
	statement int // how long a statement runs
	idle      int // how long the transaction waits for its next statement
}

var defaultLimits = limits{lock: 5_000, statement: 60_000, idle: 30_000}

// guard returns the statement that sets l for its transaction only, so that no session needs to be ours.
func (l limits) guard() string {
	return fmt.Sprintf(`SELECT set_config('lock_timeout', '%d', true), set_config('statement_timeout', '%d', true),
	set_config('idle_in_transaction_session_timeout', '%d', true)`, l.lock, l.statement, l.idle)
}

// A client is one connection, made when it is first needed and made again when it broke. It has one user at a time.
type client struct {
	config *pgx.ConnConfig
	limits limits
	greet  func(context.Context, *client) error // runs on every new connection; may be nil
	conn   *pgx.Conn
}

// connect makes sure that there is a connection.
func (c *client) connect(ctx context.Context) error {
	if c.conn != nil && !c.conn.IsClosed() {
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, c.config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	c.conn = conn
	if c.greet == nil {
		return nil
	}
	if err := c.greet(ctx, c); err != nil {
		c.close()
		return err
	}
	return nil
}

// close ends the connection and waits a moment until the server was told.
func (c *client) close() {
	if c.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	c.conn.Close(ctx) // its error says that the server did not hear us, who are going anyway
	select {
	case <-c.conn.PgConn().CleanupDone():
	case <-ctx.Done():
	}
	c.conn = nil
}

// send runs the statements of a batch in one round trip, after BEGIN and the guard.
func (c *client) send(ctx context.Context, statements func(*pgx.Batch)) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(begin)
	batch.Queue(c.limits.guard())
	statements(batch)
	return c.conn.SendBatch(ctx, batch).Close()
}

// transact runs statements as one transaction in one round trip. On an error nothing of it is stored, unless the
// connection was lost: then it may or may not be.
func (c *client) transact(ctx context.Context, statements func(*pgx.Batch)) error {
	err := c.send(ctx, func(b *pgx.Batch) {
		statements(b)
		b.Queue("COMMIT")
	})
	if err != nil {
		c.rollback(ctx)
	}
	return err
}

// exec runs one statement without parameters or result.
func (c *client) exec(ctx context.Context, sql string) error {
	_, err := c.conn.Exec(ctx, sql)
	return err
}

// rollback ends an open transaction. A connection on which that cannot be done is closed.
func (c *client) rollback(ctx context.Context) {
	const idle = 'I'
	if c.conn == nil || c.conn.PgConn().TxStatus() == idle && !c.conn.IsClosed() {
		return
	}
	if c.conn.IsClosed() || c.exec(ctx, "ROLLBACK") != nil {
		c.close()
	}
}
