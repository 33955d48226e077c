package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"logflume/schema"
)

// The driver alone would fall back to plain text without a word.
func TestOtherMachinesAreVerified(t *testing.T) {
	t.Parallel()
	check := func(url, want string) {
		t.Helper()
		if got := verified(url); got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
	check("postgres://u@db.example.com/app", "postgres://u@db.example.com/app?sslmode=verify-full")
	check("postgres://u@db.example.com/app?application_name=x", "postgres://u@db.example.com/app?application_name=x&sslmode=verify-full")
	check("host=db.example.com user=u", "host=db.example.com user=u sslmode=verify-full")
	check("postgres://u@localhost,db.example.com/app", "postgres://u@localhost,db.example.com/app?sslmode=verify-full")
	check("postgres://u@db-service/services", "postgres://u@db-service/services?sslmode=verify-full")
	check("host=db-service user=u", "host=db-service user=u sslmode=verify-full")

	for _, same := range []string{
		"postgres://u@localhost/app", "postgres://u@127.0.0.1/app", "postgres://u@[::1]/app", "postgres://u@/app?host=/run/postgresql",
		"postgres://u@db.example.com/app?sslmode=disable", "host=db.example.com sslmode=require",
		"postgres://u@db.example.com/app?application_name=x&sslmode=require", "sslmode = require host=db.example.com",
	} {
		check(same, same)
	}
}

func TestPatience(t *testing.T) {
	t.Parallel()
	pass, last := errors.New("connection refused"), fmt.Errorf("%w: run it", schema.ErrMissing)
	tries := 0
	err := patiently(t.Context(), forEver, testLog(t), func(context.Context) error {
		if tries++; tries < 3 {
			return pass
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Errorf("what passes: %v after %d tries, want success after 3", err, tries)
	}

	for _, lasting := range []error{
		last, &pgconn.PgError{Code: "28P01"}, &pgconn.PgError{Code: "42501"}, x509.UnknownAuthorityError{},
	} {
		tries = 0
		err := patiently(t.Context(), forEver, testLog(t), func(context.Context) error { tries++; return lasting })
		if !errors.Is(err, lasting) || tries != 1 {
			t.Errorf("%v: got %v after %d tries, want it at once", lasting, err, tries)
		}
	}

	if err := patiently(t.Context(), time.Millisecond, testLog(t), func(context.Context) error { return pass }); !errors.Is(err, pass) {
		t.Errorf("at the end of patience: got %v, want what was met", err)
	}
}

func TestRemedies(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"28P01": "user and password", "28000": "pg_hba.conf", "3D000": "create the database", "42P01": "logflume migrate", "42501": "log_writer",
	} {
		err := withRemedy(fmt.Errorf("connect: %w", &pgconn.PgError{Code: code, Message: "no"}))
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", code, err, want)
		}
	}
	if err := withRemedy(&pgconn.PgError{Code: "XX000", Message: "boom"}); err.Error() != (&pgconn.PgError{Code: "XX000", Message: "boom"}).Error() {
		t.Errorf("got %v, want it unchanged", err)
	}
}
