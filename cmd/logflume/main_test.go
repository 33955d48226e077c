package main

import (
	"log/slog"
	"testing"

	"logflume/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// testLog returns a log that goes to the test's output.
func testLog(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }
