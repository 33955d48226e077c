// Command run runs a Kafka broker for development until it is interrupted: on 127.0.0.1:9092 or the next free port,
// empty at its start and gone after its end. It prints how to reach it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"logflume/internal/privatekafka"
)

// usualPort is where clients look for a broker by themselves.
const usualPort = 9092

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run runs the broker until ctx ends.
func run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	installation, err := privatekafka.Obtain(ctx, log)
	if err != nil {
		return err
	}
	port, err := privatekafka.FreePortFrom(usualPort)
	if err != nil {
		return err
	}
	c, err := privatekafka.Start(ctx, privatekafka.Options{Installation: installation, Port: port})
	if err != nil {
		return err
	}
	broker := c.Brokers()[0]
	fmt.Fprintf(out, `Kafka %[1]s listens on %[2]s, its log is %[3]s/1/server.log

for tests:  export KAFKA_BROKERS=%[2]s
write:      %[4]s --bootstrap-server %[2]s --topic logs
read:       %[5]s --bootstrap-server %[2]s --topic logs --from-beginning
or with:    kcat -b %[2]s -t logs -P, kcat -b %[2]s -t logs -C

Ctrl-C ends it and removes what was written.
`, privatekafka.Version, broker, c.Dir(),
		installation.CommandLine("org.apache.kafka.tools.ConsoleProducer"),
		installation.CommandLine("org.apache.kafka.tools.consumer.ConsoleConsumer"))
	<-ctx.Done()
	return errors.Join(c.StopNode(0), c.Close())
}
