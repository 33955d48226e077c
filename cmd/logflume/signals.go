package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// catchSignals begins to catch the signals that this program answers. It comes before anything else, so that one that
// arrives while the command line is read ends the program as it should; the channel holds it until then.
func catchSignals() chan os.Signal {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	return signals
}

// withSignals returns a context that ends with the first SIGTERM or SIGINT of signals. A second one ends the process at
// once with exit code 1: nothing is lost by that, since positions are committed with their rows. SIGHUP is logged and
// ignored. stop gives the signals back.
func withSignals(parent context.Context, signals chan os.Signal, log *slog.Logger) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for s := range signals {
			switch {
			case s == syscall.SIGHUP:
				log.Info("signal ignored: the configuration is read at start only", "signal", s.String())
			case ctx.Err() == nil:
				log.Info("stopping; a second signal exits at once", "signal", s.String())
				cancel()
			default:
				log.Warn("exiting at once", "signal", s.String())
				os.Exit(exitFailed)
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		<-ended
		cancel()
	}
}
