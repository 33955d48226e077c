package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"logflume/analyze"
)

type patternsCommand struct {
	configFlag
	IDs  bool   `name:"ids" help:"Print the id of each line's pattern instead, in the order of the lines; 0 for a line that has none."`
	File string `arg:"" help:"File to read; - is standard input."`
}

// Run finds the patterns of a file's messages, without a database.
func (c *patternsCommand) Run(ctx context.Context, p *program) error {
	f, err := loadConfig(c.Config, os.Environ())
	if err != nil {
		return err
	}
	w, err := newWiring(f, p.log)
	if err != nil {
		return err
	}
	in, end, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	defer end()
	out := bufio.NewWriterSize(p.stdout, 64<<10)
	if c.IDs {
		err = printIDs(ctx, w, in, out)
	} else {
		err = printPatterns(ctx, w, in, out)
	}
	if err == nil {
		err = out.Flush()
	}
	if ctx.Err() != nil {
		return errors.New("interrupted: patterns are known after the whole input only")
	}
	return err
}

// open returns what is to be read; reading it ends with ctx.
func (c *patternsCommand) open(ctx context.Context, p *program) (in io.Reader, end func(), err error) {
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, nil, err
		}
		return f, func() { f.Close() }, nil
	}
	// Nothing ends a Read that waits for input; the goroutine in it ends with the process.
	r, w := io.Pipe()
	go func() {
		_, err := io.CopyBuffer(w, p.stdin, make([]byte, 64<<10))
		w.CloseWithError(err)
	}()
	stop := context.AfterFunc(ctx, func() { r.CloseWithError(ctx.Err()) })
	return r, func() { stop(); r.Close() }, nil
}

// printPatterns prints each pattern with how often it occurred and an example, the most frequent first.
func printPatterns(ctx context.Context, w *wiring, in io.Reader, out io.Writer) error {
	miner := analyze.NewMiner()
	if err := eachLine(ctx, w, in, miner, func(analyze.Sighting) error { return nil }); err != nil {
		return err
	}
	for _, m := range miner.Close() {
		_, err := fmt.Fprintf(out, "%9d  %20d  %s\n%31s  %s\n", m.Count, m.ID, inOneLine(m.Text), "e.g.", inOneLine(m.Example))
		if err != nil {
			return err
		}
	}
	return nil
}

// printIDs prints the id of each line's pattern. Which it is, is known after the last line; until then what the lines
// said is kept in a temporary file.
func printIDs(ctx context.Context, w *wiring, in io.Reader, out io.Writer) error {
	lines, err := newSightings()
	if err != nil {
		return err
	}
	defer lines.close()
	miner := analyze.NewMiner()
	if err := eachLine(ctx, w, in, miner, lines.add); err != nil {
		return err
	}
	miner.Close()
	return lines.each(func(s analyze.Sighting) error {
		_, err := fmt.Fprintln(out, miner.Final(s))
		return err
	})
}

// inOneLine returns s in one line, without what a terminal would obey.
func inOneLine(s string) string {
	return printable(strings.NewReplacer("\r", " ", "\n", " ", "\t", " ").Replace(s))
}
