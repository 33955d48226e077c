package main

import (
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// A logLevel is the least level of the log.
type logLevel slog.Level

// UnmarshalText reads a name of package slog, in small letters or capitals.
func (l *logLevel) UnmarshalText(text []byte) error {
	if err := (*slog.Level)(l).UnmarshalText(text); err != nil {
		return fmt.Errorf("%q is no level: use debug, info, warn or error", text)
	}
	return nil
}

// Level implements [slog.Leveler].
func (l logLevel) Level() slog.Level { return slog.Level(l) }

// newLogger returns the program's own log: text on a terminal, JSON elsewhere.
func newLogger(to *os.File, level slog.Leveler) *slog.Logger {
	if term.IsTerminal(int(to.Fd())) {
		return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level, ReplaceAttr: withUnit}))
}

// withUnit writes durations with their units, as text logs do; JSON would have their nanoseconds.
func withUnit(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
