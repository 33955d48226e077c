package main

import (
	"log/slog"
	"os"

	"golang.org/x/term"
)

// newLogger returns the program's own log: text on a terminal, JSON elsewhere.
func newLogger(to *os.File, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if term.IsTerminal(int(to.Fd())) {
		return slog.New(slog.NewTextHandler(to, options))
	}
	return slog.New(slog.NewJSONHandler(to, options))
}
