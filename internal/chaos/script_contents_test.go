package chaos_test

import (
	"fmt"
	"strings"
	"testing"

	"logflume/internal/chaos"
)

var contents = map[string]scriptCase{
	"short_files":       {small: []chaos.Way{chaos.Killed}, run: shortFiles},
	"empty_files":       {small: []chaos.Way{chaos.Stopped}, settings: shortWait, run: emptyFiles},
	"split_writes":      {small: []chaos.Way{chaos.Killed}, run: splitWrites},
	"pause_in_mid_line": {small: []chaos.Way{chaos.Killed}, run: pauseInMidLine},
	"no_newline_at_end": {small: []chaos.Way{chaos.Live}, settings: noNewline, run: noNewlineAtEnd},
	"carriage_returns":  {small: []chaos.Way{chaos.Live}, run: carriageReturns},
	"byte_order_mark":   {small: []chaos.Way{chaos.Frozen}, run: byteOrderMark},
	"binary_line":       {small: []chaos.Way{chaos.Live}, run: binaryLine},
	"long_line":         {small: []chaos.Way{chaos.Live}, run: longLine},
}

var noNewline = chaos.Settings{Paths: []string{"app.log", "last.log"}, Files: shortWait.Files}

// shortFiles are smaller than what names a file's content, and grow beyond it, while they are renamed.
func shortFiles(_ *testing.T, s *chaos.Script) {
	texts := make([]*chaos.Text, 5)
	for i := range texts {
		texts[i] = s.Text(fmt.Sprintf("short%d", i))
		s.Append(fmt.Sprintf("short%d.log", i), texts[i], 1)
	}
	s.Stored()
	s.Operate(func() {
		for round := range 3 {
			for i, x := range texts[1:] {
				s.Append(fmt.Sprintf("short%d.log", i+1), x, 1+i*round)
			}
			s.Do("mv", "short1.log", "short1.log.1")
			s.Append("short1.log", texts[1], 1)
			s.Do("mv", "short1.log.1", fmt.Sprintf("short1.log.%d", round+2))
		}
	})
	for i, x := range texts[1:] {
		s.Append(fmt.Sprintf("short%d.log", i+1), x, 10)
	}
}

// emptyFiles come and go, are renamed, filled, and emptied again.
func emptyFiles(_ *testing.T, s *chaos.Script) {
	app, fresh := s.Text("app"), s.Text("fresh")
	s.Do("touch", "app.log", "never.log")
	s.Up()
	s.Await("the files are open", func() bool {
		s.Up()
		return s.Metric(`logflume_files{state="open"}`) == 2
	})
	s.Operate(func() {
		s.Do("mv", "app.log", "app.log.1")
		s.Do("touch", "app.log", "gone.log")
		s.Do("rm", "gone.log")
		s.Append("app.log.1", app, 100)
		s.Append("app.log", app, 100)
		s.Do("touch", "gone.log")
	})
	s.Stored()
	s.Do("truncate", "--size=0", "app.log")
	s.Do("mv", "app.log", "app.log.2")
	s.Append("app.log.2", fresh, 10)
}

// splitWrites writes lines in pieces.
func splitWrites(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 1)
	s.Operate(func() {
		for range 5 {
			line := app.Next(1)
			third := len(line) / 3
			for _, piece := range []string{line[:third], line[third : 2*third], line[2*third : len(line)-1], "\n"} {
				s.Write("app.log", piece)
			}
		}
	})
}

// pauseInMidLine leaves a line without its end until the instance has read all that is there, and then for as long as the
// way takes.
func pauseInMidLine(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, backlog)
	s.Stored()
	for range 3 {
		line := app.Next(10)
		half := len(line) - 60
		s.Write("app.log", line[:half])
		left := half - strings.LastIndex(line[:half], "\n") - 1
		s.Await("only the half line is left", func() bool {
			s.Up()
			return s.Metric("logflume_lag_bytes") == int64(left)
		})
		s.Operate(func() { s.Write("app.log", line[half:]) })
	}
}

// noNewlineAtEnd leaves a file without an end of its last line, and has it leave the inputs: then nothing will follow.
func noNewlineAtEnd(t *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 100)
	s.Stored()
	app.End = ""
	s.Append("app.log", app, 1)
	app.End = "\n"
	s.Operate(func() {
		s.Do("mv", "app.log", "finished")
		s.Append("app.log", app, 100)
	})
	s.AwaitStream("is closed", isClosed)
	s.Stored()
	if n := s.Count("log_events", `attrs ->> '_partial' = 'true' and attrs ->> 'n' = '101'`); n != 1 {
		t.Errorf("%d events say that they are partial", n)
	}
}

func carriageReturns(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	app.End = "\r\n"
	s.Append("app.log", app, 100)
	s.Operate(func() {
		line := app.Next(1)
		s.Write("app.log", line[:len(line)-1])
		s.Write("app.log", line[len(line)-1:])
		s.Write("app.log", "\r\n\n")
		s.Append("app.log", app, backlog)
	})
}

// byteOrderMark comes in two pieces.
func byteOrderMark(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Write("app.log", "\xEF\xBB")
	s.Operate(func() {
		s.Write("app.log", "\xBF")
		s.Append("app.log", app, 100)
	})
	s.Append("app.log", app, backlog)
}

// binaryLine is among lines that can be stored.
func binaryLine(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 100)
	s.Operate(func() {
		s.Write("app.log", strings.Repeat("\x00", 100_000)+"\n")
		s.Append("app.log", app, 100)
		s.Write("app.log", "text with a \x00\n")
		s.Append("app.log", app, backlog)
	})
	s.Dead("text: binary data", 2)
}

// longLine has ten megabytes, in writes of one. More would prove more, but what is added to a followed file without a line
// feed between two looks at it is held by the tail library, three times.
func longLine(_ *testing.T, s *chaos.Script) {
	app := s.Text("app")
	s.Append("app.log", app, 100)
	s.Stored()
	s.Operate(func() {
		s.Write("app.log", `{"msg":"`)
		for range 10 {
			s.Write("app.log", strings.Repeat("long ", 200_000))
		}
		s.Write("app.log", "\"}\n")
		s.Append("app.log", app, backlog)
	})
	s.Dead("line: longer than limits.line", 1)
}
