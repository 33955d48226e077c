package chaos_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"logflume/internal/chaos"
)

var limits = map[string]scriptCase{
	"too_many_files":    {small: []chaos.Way{chaos.Live}, settings: shortWait, run: tooManyFiles},
	"dead_letter_flood": {small: []chaos.Way{chaos.Live}, settings: chaos.Settings{Limits: "dead_letters: 64KiB"}, run: deadLetterFlood},
}

// tooManyFiles are more than the limit on descriptors allows to hold open. Others are read when some are finished.
func tooManyFiles(t *testing.T, s *chaos.Script) {
	const files, allowed = 90, 64
	limit := fmt.Sprintf("--nofile=%d:%d", allowed, allowed)
	if out, err := exec.Command("prlimit", limit, "true").CombinedOutput(); err != nil {
		t.Skipf("NOT PROVEN: descriptors cannot be limited here: %v: %s", err, out)
	}
	s.Wrap("prlimit", limit)
	for n := range files {
		s.Append(fmt.Sprintf("app%d.log", n), s.Text(fmt.Sprintf("app%d", n)), 10)
	}
	s.Up()
	s.AwaitLog(0, "too many open files for the limit on descriptors")
	var read []string
	s.Await("half of the files are read", func() bool {
		read = nil
		for _, stream := range s.Streams() {
			if stream.Lines == 10 {
				read = append(read, stream.Path)
			}
		}
		return len(read) > files/2
	})
	s.Operate(func() { s.Do("rm", read...) })
}

// deadLetterFlood is a binary file, beside one that can be read.
func deadLetterFlood(t *testing.T, s *chaos.Script) {
	const letters = 20_000
	app := s.Text("app")
	s.Append("app.log", app, 100)
	s.Operate(func() {
		s.Write("binary.log", strings.Repeat(strings.Repeat("\x00\x01\x02\x03", 100)+"\n", letters)) // 8 MB
		s.Append("app.log", app, backlog)
	})
	s.Await("the source is paused", func() bool {
		s.Up()
		ready, answer := s.Ready()
		return !ready && strings.Contains(answer, "dead letters") &&
			s.Metric("logflume_sources_paused") == 1
	})
	s.Stored() // the other file
	// One transaction may go beyond the limit, and has at most half of the memory.
	if n := s.Count("log_dead_letters", "true"); n > letters/4 {
		t.Errorf("there are %d dead letters", n)
	}
	s.Down()
	s.Set(chaos.Settings{})
	s.Up()
	s.Await("all dead letters are stored", func() bool { return s.Count("log_dead_letters", "true") == letters })
	s.Dead("text: binary data", letters)
}
