// Command setup makes sure that the Java machine and the jars of a Kafka broker are on this machine, so that tests need
// not fetch them. Where that cannot be done it says why and ends with exit code 1.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"

	"logflume/internal/privatekafka"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if _, err := privatekafka.Obtain(ctx, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
