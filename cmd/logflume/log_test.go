package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A log that is no terminal is JSON, whose durations have units.
func TestLogOfDurations(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	to, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	log := newLogger(to, slog.LevelInfo)
	log.Info("waited", "after", 5056*time.Millisecond, "rows", 7)
	log.Debug("not shown")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var entry struct {
		Msg, After string
		Rows       int
	}
	if err := json.Unmarshal(content, &entry); err != nil {
		t.Fatalf("%v in %s", err, content)
	}
	if entry.Msg != "waited" || entry.After != "5.056s" || entry.Rows != 7 {
		t.Errorf("got %s", content)
	}
}

func TestLogLevels(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]slog.Level{"debug": slog.LevelDebug, "INFO": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError} {
		var l logLevel
		if err := l.UnmarshalText([]byte(text)); err != nil || l.Level() != want {
			t.Errorf("%s: got %v, %v", text, l.Level(), err)
		}
	}
}
