package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"logflume/schema"
	"logflume/sink/postgres"
)

// databaseURL returns the database to use: the flag's or LOG_DATABASE_URL's, else the configuration's.
func databaseURL(flag secretURL, f *configFile) (string, error) {
	u := flag
	if u != "" {
		if err := checkURL(u); err != nil {
			return "", usageError(fmt.Sprintf("the URL given by --database-url or LOG_DATABASE_URL %v", err))
		}
	} else {
		u = f.Database.URL
	}
	if u == "" {
		return "", usageError("no database is named: set --database-url, LOG_DATABASE_URL or database.url")
	}
	return verified(string(u)), nil
}

// saysTLS finds what says in a URL, or in a list of settings, how TLS is wanted: itself, or in a service file.
var saysTLS = regexp.MustCompile(`(^|[?&\s])(sslmode|service)\s*=`)

// verified makes a URL that does not say how it wants TLS ask for a verified server when that is another machine.
// Without, the library would settle for no encryption when the server, or somebody in between, says so.
func verified(u string) string {
	config, err := pgconn.ParseConfig(u)
	if err != nil || os.Getenv("PGSSLMODE") != "" || os.Getenv("PGSERVICE") != "" || saysTLS.MatchString(u) {
		return u
	}
	hosts := []string{config.Host}
	for _, f := range config.Fallbacks {
		hosts = append(hosts, f.Host)
	}
	for _, host := range hosts {
		if isLocal(host) {
			continue
		}
		separator := " "
		if strings.Contains(u, "://") {
			separator = "?"
			if strings.Contains(u, "?") {
				separator = "&"
			}
		}
		return u + separator + "sslmode=verify-full"
	}
	return u
}

// isLocal reports whether host is this machine: a socket's folder or a loopback address.
func isLocal(host string) bool {
	address, err := netip.ParseAddr(host)
	return strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" || err == nil && address.IsLoopback()
}

// checkTimeout is how long one look at the database may take: a server that is frozen, or gone without a word, would
// otherwise be waited for as long as TCP does.
const checkTimeout = 15 * time.Second

// checkDatabase connects and looks whether the schema is the one this program writes to, with the rights it needs.
func checkDatabase(ctx context.Context, url, schemaName string) error {
	return lookAt(ctx, url, schemaName, schema.Check)
}

// checkVersion connects and looks whether the schema is this program's.
func checkVersion(ctx context.Context, url, schemaName string) error {
	return lookAt(ctx, url, schemaName, schema.CheckVersion)
}

func lookAt(ctx context.Context, url, schemaName string, check func(context.Context, *pgx.Conn, string) error) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return check(ctx, conn, schemaName)
}

// checkPartitions looks whether today's events have a partition, and returns how many partitions there are. Writers make
// those that are missing.
func checkPartitions(ctx context.Context, url, schemaName string) (count int, today bool, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, false, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, "SELECT count(*), coalesce(bool_or(now() >= lower AND now() < upper), false) FROM "+
		pgx.Identifier{schemaName, "list_partitions"}.Sanitize()+"()").Scan(&count, &today)
	return count, today, err
}

// forEver is the patience of a service, and of who says --wait 0s.
const forEver time.Duration = 0

// patiently calls f until it succeeds, for at most wait (or for ever), while what it meets can pass: a database that
// cannot be reached, is starting, or is busy. Other errors are returned at once, with their remedy.
func patiently(ctx context.Context, wait time.Duration, log *slog.Logger, f func(context.Context) error) error {
	const firstRetry, lastRetry = 25 * time.Millisecond, 5 * time.Second
	waiting := false
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := f(ctx)
		if err != nil && !passes(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(&backoff.ExponentialBackOff{
		InitialInterval: firstRetry, MaxInterval: lastRetry, Multiplier: 2, RandomizationFactor: 0.5,
	}), backoff.WithMaxElapsedTime(wait), backoff.WithNotify(func(err error, _ time.Duration) {
		if !waiting {
			log.Warn("waiting for the database", "error", oneLine(err))
		}
		waiting = true
	}))
	if err == nil && waiting {
		log.Info("the database is there")
	}
	return withRemedy(err)
}

// oneLine returns the text of err, which for a connection that failed lists each address tried on a line of its own, as
// often as it was tried.
func oneLine(err error) string {
	var parts []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); !slices.Contains(parts, line) {
			parts = append(parts, line)
		}
	}
	return redact(strings.Join(parts, " "))
}

// passes reports whether err can pass without anybody doing something about it here.
func passes(err error) bool {
	for _, lasting := range []error{schema.ErrMissing, schema.ErrOlder, schema.ErrNewer, schema.ErrRights, schema.ErrNoPattern} {
		if errors.Is(err, lasting) {
			return false
		}
	}
	return !isTLS(err) && postgres.Classify(err) != postgres.Misconfigured
}

// isTLS reports whether the server was reached and TLS with it cannot be had as asked for.
func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &name) ||
		err != nil && strings.Contains(err.Error(), "server refused TLS connection")
}

// withRemedy adds to an error of the database what to do about it. Errors of package schema say so themselves.
func withRemedy(err error) error {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case isTLS(err):
		return fmt.Errorf("%w: give the server a certificate that this machine trusts, name its authority with "+
			"sslrootcert=FILE in the URL, or ask for less with sslmode=require or, on a network you trust, sslmode=disable", err)
	case !errors.As(err, &pg):
		return err
	}
	remedies := map[string]string{
		"28P01": "check user and password in the database URL, PGPASSWORD or ~/.pgpass",
		"28000": "check the user in the database URL, and that pg_hba.conf lets it in from here",
		"3D000": "create the database, or correct its name in the URL",
		"3F000": "run `logflume migrate`",
		"42P01": "run `logflume migrate`",
		"42501": "connect as log_writer or as the owner; `logflume migrate --roles` makes the roles",
	}
	if remedy, ok := remedies[pg.Code]; ok && !strings.Contains(err.Error(), "logflume migrate") {
		return fmt.Errorf("%w: %s", err, remedy)
	}
	return err
}
