package chaos_test

import (
	"fmt"
	"testing"

	"logflume/internal/chaos"
)

var renames = map[string]scriptCase{
	"renamed_once":         {small: []chaos.Way{chaos.Live}, run: renamed(1)},
	"renamed_twice":        {small: []chaos.Way{chaos.Stopped}, run: renamed(2)},
	"renamed_three_times":  {small: []chaos.Way{chaos.Killed}, run: renamed(3)},
	"rotated_to_gzip":      {small: []chaos.Way{chaos.Behind}, settings: chaos.Settings{Files: "grace: 1s"}, run: rotatedToGzip},
	"rotated_out_of_globs": {small: []chaos.Way{chaos.Stopped}, settings: chaos.Settings{Paths: []string{"app.log", "last.log"}}, run: renamed(1)},
	"copytruncate":         {small: []chaos.Way{chaos.Frozen}, run: copytruncate},
	"several_names": {
		small:    []chaos.Way{chaos.Killed},
		settings: chaos.Settings{Paths: []string{"*.log", "app*", "links/*"}},
		run:      severalNames,
	},
	"directory_appears_later": {
		small:    []chaos.Way{chaos.Live},
		settings: chaos.Settings{Paths: []string{"service/**/*.log", "*.log"}},
		run:      directoryAppearsLater,
	},
}

// renamed rotates by renaming, .1 to .2 and so on, with unread lines in each of the files.
func renamed(times int) func(*testing.T, *chaos.Script) {
	return func(_ *testing.T, s *chaos.Script) {
		app := s.Text("app")
		s.Append("app.log", app, 100)
		s.Stored()
		s.Operate(func() {
			s.Append("app.log", app, backlog)
			for rotation := 1; rotation <= times; rotation++ {
				for n := rotation; n > 1; n-- {
					s.Do("mv", fmt.Sprintf("app.log.%d", n-1), fmt.Sprintf("app.log.%d", n))
				}
				s.Do("mv", "app.log", "app.log.1")
				s.Append("app.log.1", app, 10) // the writer has not opened the new file yet
				s.Append("app.log", app, 100)
			}
		})
		s.Append("app.log", app, 100)
	}
}

func rotatedToGzip(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 100)
	s.Stored()
	s.Operate(func() {
		s.Append("app.log", app, backlog)
		s.Do("mv", "app.log", "app.log.1")
		s.Append("app.log", app, 100)
		s.Do("gzip", "app.log.1")
		s.Append("app.log", app, 100)
		s.Do("mv", "app.log", "app.log.2")
		s.Do("gzip", "app.log.2")
	})
	s.Append("app.log", app, 100)
}

func copytruncate(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 100)
	s.Stored()
	s.Operate(func() {
		for range 2 {
			s.Append("app.log", app, backlog/2)
			s.Do("sh", "-c", "if test -e app.log.1; then mv app.log.1 app.log.2; fi")
			s.Do("cp", "app.log", "app.log.1")
			s.Do("truncate", "--size=0", "app.log")
			s.Append("app.log", app, 100)
		}
	})
	s.Append("app.log", app, 100)
}

func directoryAppearsLater(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 100)
	s.Stored()
	s.Operate(func() {
		s.Do("mkdir", "service")
		s.Do("mkdir", "-p", "service/a/b")
		s.Append("service/a/b/app.log", app, backlog)
		s.Append("service/app.log", app, 100)
		s.Do("mv", "service/a", "service/c")
		s.Append("service/c/b/app.log", app, 100)
		s.Do("mkdir", "service/a")
		s.Append("service/a/app.log", app, 100)
	})
}

// severalNames gives a file a second name and links, all of which inputs match, one name through two globs.
func severalNames(t *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 100)
	s.Operate(func() {
		s.Do("ln", "app.log", "hard.log")
		s.Do("ln", "-s", "app.log", "soft.log")
		s.Do("mkdir", "links")
		s.Do("ln", "-s", "../app.log", "links/app")
		s.Append("soft.log", app, backlog)
		s.Do("rm", "app.log")
		s.Append("hard.log", app, 100)
		s.Do("ln", "hard.log", "app.log")
	})
	s.Stored()
	if n := len(s.Streams()); n != 1 {
		t.Errorf("there are %d streams", n)
	}
}
