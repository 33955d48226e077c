package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"logflume/analyze"
	"logflume/ingest/file"
	"logflume/schema"
)

type patternsCommand struct {
	configFlag
	databaseFlags
	waitFlag
	IDs     bool      `name:"ids" xor:"what" help:"Print the id of each line's pattern instead, in the order of the lines; 0 for a line that has none."`
	Unmerge patternID `xor:"what" help:"In the database, undo the merge that made this pattern, for good." placeholder:"ID"`
	Remerge patternID `xor:"what" help:"In the database, let this pattern be merged again." placeholder:"ID"`
	File    string    `arg:"" optional:"" help:"File to read; .gz and .zst are unpacked; - is standard input."`
}

// A patternID may begin with a dash and is no flag then.
type patternID int64

// Decode implements kong.MapperValue.
func (id *patternID) Decode(d *kong.DecodeContext) error {
	text := d.Scan.Pop().String()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n == 0 {
		return fmt.Errorf("%q is no pattern id: these are whole numbers, as `logflume patterns` and the database show them", text)
	}
	*id = patternID(n)
	return nil
}

// Run finds the patterns of a file's messages, without a database, or changes what is merged in one.
func (c *patternsCommand) Run(ctx context.Context, p *program) error {
	f, err := loadConfig(c.Config, os.Environ())
	if err != nil {
		return err
	}
	change := c.Unmerge != 0 || c.Remerge != 0
	switch {
	case change && c.File != "":
		return usageError("patterns: --unmerge and --remerge concern the database: name no file")
	case change:
		return c.change(ctx, p, f)
	case c.File == "":
		return usageError("patterns: name a file, or - for standard input")
	}
	limitMemory(f.Limits.Memory)
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
	if err != nil {
		return fmt.Errorf("patterns of %s: %w", c.File, err)
	}
	return nil
}

// change undoes a merge in the database, or takes that back.
func (c *patternsCommand) change(ctx context.Context, p *program, f *configFile) error {
	url, err := databaseURL(c.DatabaseURL, f)
	if err != nil {
		return err
	}
	if c.Remerge != 0 {
		return c.remerge(ctx, p, url, f.Database.Schema)
	}
	apart := 0
	err = patiently(ctx, c.Wait, p.log, func(ctx context.Context) (err error) {
		if err = checkDatabase(ctx, url, f.Database.Schema); err == nil {
			apart, err = schema.Unmerge(ctx, url, f.Database.Schema, int64(c.Unmerge))
		}
		return err
	})
	if err == nil {
		fmt.Fprintf(p.stdout, "pattern %d stands for itself alone, and so do %d others again\n", c.Unmerge, apart)
	}
	return err
}

func (c *patternsCommand) remerge(ctx context.Context, p *program, url, schemaName string) error {
	was := false
	err := patiently(ctx, c.Wait, p.log, func(ctx context.Context) (err error) {
		if err = checkDatabase(ctx, url, schemaName); err == nil {
			was, err = schema.Remerge(ctx, url, schemaName, int64(c.Remerge))
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case !was:
		return fmt.Errorf("pattern %d was not set apart: nothing to take back", c.Remerge)
	}
	fmt.Fprintf(p.stdout, "pattern %d may be merged again, within a minute while an instance runs, or by the next import\n", c.Remerge)
	return nil
}

// open returns what is to be read, unpacked; reading it ends with ctx.
func (c *patternsCommand) open(ctx context.Context, p *program) (in io.Reader, end func(), err error) {
	var packed io.Reader
	var release func()
	if c.File == "-" {
		// Nothing ends a Read that waits for input; the goroutine in it ends with the process.
		r, w := io.Pipe()
		go func() {
			_, err := io.CopyBuffer(w, p.stdin, make([]byte, 64<<10))
			w.CloseWithError(err)
		}()
		stop := context.AfterFunc(ctx, func() { r.CloseWithError(ctx.Err()) })
		packed, release = r, func() { stop(); r.Close() }
	} else {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, nil, err
		}
		packed, release = f, func() { f.Close() }
	}
	z, err := file.Unpack(packed)
	if err != nil {
		release()
		return nil, nil, fmt.Errorf("patterns of %s: %w", c.File, err)
	}
	return z, func() { z.Close(); release() }, nil
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
