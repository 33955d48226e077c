package postgres

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// meets reports whether there is a fault of that class.
func meets(h Health, c Class) bool {
	return slices.ContainsFunc(h.Faults, func(f Fault) bool { return f.Class == c })
}

func TestStateLogsChanges(t *testing.T) {
	t.Parallel()
	log := &journal{}
	now := time.Unix(0, 0)
	s := newState(slog.New(slog.NewTextHandler(log, nil)), func() time.Time { return now })
	lost, refused := errors.New("connection reset"), &pgconn.PgError{Code: "42501", Message: "permission denied"}
	lines := func(want int, what string) {
		t.Helper()
		if got := strings.Count(log.String(), "\n"); got != want {
			t.Errorf("%s: %d lines, want %d\n%s", what, got, want, log)
		}
	}
	s.worked(partWriter)
	lines(0, "all well")
	for range 3 {
		s.failed(partWriter, lost)
		s.failed(partCheckpoints, lost)
		now = now.Add(time.Second)
	}
	lines(1, "the database went away for two parts")
	if h := s.health(); !meets(h, Unreachable) || len(h.Faults) != 2 ||
		h.Faults[0] != (Fault{partCheckpoints, Unreachable, "connection reset", time.Unix(0, 0)}) {
		t.Errorf("%+v", h)
	}
	s.worked(partCheckpoints)
	lines(1, "one part is back")
	s.worked(partWriter)
	lines(2, "both are back")
	s.failed(partWriter, refused)
	s.failed(partWriter, lost)
	lines(4, "one fault after the other")
	s.gaveUp(partWriter)
	if h := s.health(); len(h.Faults) > 0 {
		t.Errorf("%+v", h)
	}
	lines(4, "gave up")
}
