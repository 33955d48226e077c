package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// A screen shows one text after the other: in place on a terminal, below each other elsewhere.
type screen struct {
	to       io.Writer
	terminal *os.File // nil when to is none
	shown    bool
}

func newScreen(to io.Writer) *screen {
	if f, ok := to.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &screen{to: to, terminal: f}
	}
	return &screen{to: to}
}

// interval is how often a new text should be shown.
func (s *screen) interval() time.Duration {
	if s.terminal != nil {
		return time.Second
	}
	return 5 * time.Second
}

// psqlLine is the line of a text that is for copying and so never cut.
const psqlLine = 1

// show replaces what is on a terminal, cut to its size, or adds text elsewhere.
func (s *screen) show(text string) {
	if s.terminal == nil {
		fmt.Fprintln(s.to, text)
		return
	}
	const home, clearAll, clearLine, clearBelow = "\x1b[H", "\x1b[2J", "\x1b[K", "\x1b[J"
	if !s.shown {
		fmt.Fprint(s.to, clearAll)
		s.shown = true
	}
	width, height, err := term.GetSize(int(s.terminal.Fd()))
	if err != nil || width == 0 {
		width, height = 80, 24
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	rows := height - 1
	if len(lines) > psqlLine { // it takes as many rows as it needs
		rows -= (len([]rune(lines[psqlLine])) - 1) / width
	}
	lines = lines[:min(len(lines), max(rows, 1))]
	for i, line := range lines {
		if runes := []rune(line); len(runes) > width && i != psqlLine {
			line = string(runes[:width])
		}
		lines[i] = line + clearLine
	}
	fmt.Fprint(s.to, home+strings.Join(lines, "\n")+"\n"+clearBelow)
}

// note adds a line.
func (s *screen) note(line string) { fmt.Fprintln(s.to, line) }
