package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"logflume/pipeline"
	"logflume/sink/postgres"
)

type deadLettersCommand struct {
	List   listLettersCommand   `cmd:"" help:"List dead letters, the latest first."`
	Show   showLetterCommand    `cmd:"" help:"Show one with its bytes."`
	Replay replayLettersCommand `cmd:"" help:"Parse them again with the configuration as it is now; what passes is stored and leaves the dead letters in one transaction."`
	Purge  purgeLettersCommand  `cmd:"" help:"Delete them. Their lines stay counted as dead."`
}

// lettersDatabase are the flags of all commands on dead letters.
type lettersDatabase struct {
	configFlag
	databaseFlags
	waitFlag
}

// open returns a sink on the database in which the letters are. Who may delete them is the owner of the tables, so the
// owner's login goes before the writer's.
func (l *lettersDatabase) open(ctx context.Context, p *program) (*wiring, *postgres.Sink, error) {
	f, err := loadConfig(l.Config, os.Environ())
	if err != nil {
		return nil, nil, err
	}
	if l.DatabaseURL == "" {
		l.DatabaseURL = f.Database.MaintenanceURL
	}
	url, err := databaseURL(l.DatabaseURL, f)
	if err != nil {
		return nil, nil, err
	}
	w, err := newWiring(f, p.log)
	if err != nil {
		return nil, nil, err
	}
	if err := patiently(ctx, l.Wait, p.log, func(ctx context.Context) error { return checkVersion(ctx, url, f.Database.Schema) }); err != nil {
		return nil, nil, err
	}
	sink, err := w.postgres(url)
	return w, sink, err
}

// A letterChoice is the flags that say which dead letters are meant.
type letterChoice struct {
	Since  moment `help:"Those received then or later: a time, or an age such as 2h or 7d." placeholder:"TIME"`
	Before moment `help:"Those received earlier: a time, or an age such as 2h or 7d." placeholder:"TIME"`
	Reason string `help:"Those whose reason begins with this." placeholder:"TEXT"`
	Source string `help:"Those of one source: its source_id, its source_key or its path; * stands for anything." placeholder:"SOURCE"`
}

func (c *letterChoice) selection(ids []int64) postgres.LetterSelection {
	return postgres.LetterSelection{
		IDs: ids, Since: time.Time(c.Since), Before: time.Time(c.Before), Reason: c.Reason, Source: c.Source,
	}
}

// deliberate refuses to work on all letters because nothing was said.
func (c *letterChoice) deliberate(ids []int64, all bool) error {
	chosen := len(ids) > 0 || *c != letterChoice{}
	switch {
	case chosen && all:
		return usageError("--all goes without ids and other choices")
	case !chosen && !all:
		return usageError("say which dead letters are meant: by id, with --since, --before, --reason or --source, or --all")
	}
	return nil
}

// A moment is a flag that is a time or an age.
type moment time.Time

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *moment) UnmarshalText(text []byte) error {
	var age duration
	if err := age.UnmarshalText(text); err == nil {
		*m = moment(time.Now().Add(-time.Duration(age)))
		return nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, string(text), time.Local); err == nil {
			*m = moment(t)
			return nil
		}
	}
	return fmt.Errorf("%q is neither an age (2h, 7d) nor a time (2026-01-20, 2026-01-20 12:00:00, 2026-01-20T12:00:00Z)", text)
}

type listLettersCommand struct {
	lettersDatabase
	letterChoice
	Limit int  `help:"How many at most." default:"50" placeholder:"N"`
	JSON  bool `name:"json" help:"Print an object a line."`
}

// Run prints the letters.
func (c *listLettersCommand) Run(ctx context.Context, p *program) error {
	if c.Limit < 1 {
		return usageError("--limit: give a number from 1")
	}
	_, sink, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	defer sink.Close()
	letters, err := sink.Letters(ctx, c.selection(nil), c.Limit+1)
	if err != nil {
		return lettersError(err)
	}
	more := len(letters) > c.Limit
	if letters = letters[:min(len(letters), c.Limit)]; c.JSON {
		out := json.NewEncoder(p.stdout)
		for i := range letters {
			if err := out.Encode(&letters[i]); err != nil {
				return err
			}
		}
	} else if err := printLetters(p.stdout, letters); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(p.stderr, "there are more: raise --limit\n")
	}
	return nil
}

type showLetterCommand struct {
	lettersDatabase
	ID   int64 `arg:"" help:"Its id, as listed."`
	Raw  bool  `help:"Print its bytes and nothing else." xor:"how"`
	JSON bool  `name:"json" help:"Print an object; its bytes are in base64." xor:"how"`
}

// Run prints one letter.
func (c *showLetterCommand) Run(ctx context.Context, p *program) error {
	_, sink, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	defer sink.Close()
	letter, err := sink.Letter(ctx, c.ID)
	switch {
	case err != nil:
		return lettersError(err)
	case letter == nil:
		return fmt.Errorf("there is no dead letter %d", c.ID)
	case c.Raw:
		_, err = p.stdout.Write(letter.Raw)
		return err
	case c.JSON:
		return json.NewEncoder(p.stdout).Encode(letter)
	}
	return printLetter(p.stdout, letter)
}

type replayLettersCommand struct {
	lettersDatabase
	letterChoice
	All bool    `help:"All there are."`
	IDs []int64 `arg:"" optional:"" name:"id" help:"Ids, as listed."`
}

// Run replays the letters and prints what became of them.
func (c *replayLettersCommand) Run(ctx context.Context, p *program) error {
	if err := c.deliberate(c.IDs, c.All); err != nil {
		return err
	}
	w, sink, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	defer sink.Close()
	stages := postgres.Stages{
		Parse: w.parse(), Rest: []pipeline.Processor{w.filter(), w.enrich(), w.analyze(), postgres.Encoder{}},
	}
	sum, err := sink.Replay(ctx, c.selection(c.IDs), stages)
	fmt.Fprintf(p.stdout, "stored    %d (%d events)\nfiltered  %d\ndead      %d\n", sum.Stored, sum.Events, sum.Filtered, sum.Dead)
	if sum.Unreadable > 0 {
		fmt.Fprintf(p.stdout, "left      %d: they do not hold the whole line, or their source is gone\n", sum.Unreadable)
	}
	return lettersError(err)
}

type purgeLettersCommand struct {
	lettersDatabase
	letterChoice
	All bool    `help:"All there are."`
	IDs []int64 `arg:"" optional:"" name:"id" help:"Ids, as listed."`
}

// Run deletes the letters and prints how many there were.
func (c *purgeLettersCommand) Run(ctx context.Context, p *program) error {
	if err := c.deliberate(c.IDs, c.All); err != nil {
		return err
	}
	_, sink, err := c.open(ctx, p)
	if err != nil {
		return err
	}
	defer sink.Close()
	deleted, err := sink.Purge(ctx, c.selection(c.IDs))
	fmt.Fprintf(p.stdout, "deleted   %d\n", deleted)
	return lettersError(err)
}
