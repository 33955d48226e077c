package chaos_test

import (
	"testing"

	"logflume/internal/chaos"
)

var joins = map[string]scriptCase{
	"joined_lines": {small: []chaos.Way{chaos.Killed}, run: joinedLines},
}

// joinedLines are stack traces that are written in pieces. The instance is killed when it has read a half of one, and the
// file renamed before the other half comes. No position ever lies within a trace.
func joinedLines(t *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Traces()
	s.Append("app.log", app, 1000)
	s.Stored()
	s.Operate(func() {
		for range 8 {
			trace := app.Next(1)
			s.Write("app.log", trace[:40], trace[40:80], trace[80:])
		}
	})
	s.Stored()
	for range 2 {
		unlock := s.Lock() // or a second of quiet could end the first half for good
		trace := app.Next(1)
		s.Write("app.log", trace[:len(trace)/2])
		s.Up()
		s.AwaitLog(s.Starts(), `"msg":"files found"`)
		s.Kill()
		if at := s.Streams()[0].Position; !app.Borders(at) {
			t.Errorf("position %d is within a trace", at)
		}
		s.Do("mv", "app.log", "app.log.1")
		s.Write("app.log.1", trace[len(trace)/2:])
		unlock()
		s.Stored()
		s.Do("mv", "app.log.1", "app.log")
	}
}
