package main

import (
	"fmt"
	"time"
)

// A commandLine is what the arguments are parsed into; the tags are what --help shows.
type commandLine struct {
	LogLevel logLevel `help:"Least level of the log on standard error: debug, info, warn or error." default:"info" placeholder:"LEVEL"`

	Run         runCommand         `cmd:"" help:"Follow the configured sources until a signal comes."`
	Import      importCommand      `cmd:"" help:"Read files to their end and exit when all is committed. Run again, it adds nothing."`
	Check       checkCommand       `cmd:"" help:"Validate the configuration; with --database also the database; with --ready a running instance."`
	Migrate     migrateCommand     `cmd:"" help:"Create or upgrade the tables."`
	DeadLetters deadLettersCommand `cmd:"" name:"dead-letters" help:"List, show, replay or purge the lines that could not be stored."`
	Patterns    patternsCommand    `cmd:"" help:"Show the patterns of a file's messages, with counts and examples. Needs no database."`
	Demo        demoCommand        `cmd:"" help:"Show everything on this machine: a private PostgreSQL, services that log to files or, with --kafka, to a topic, the pipeline, a summary."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// databaseFlags are the flags of commands that speak to the database.
type databaseFlags struct {
	DatabaseURL secretURL `help:"URL of the database; goes before database.url of the configuration." env:"LOG_DATABASE_URL" placeholder:"URL"`
}

// configFlag is the flag of commands that work without a configuration too.
type configFlag struct {
	Config string `help:"Configuration file." placeholder:"FILE"`
}

// waitFlag is the flag of commands that do not wait for the database for ever.
type waitFlag struct {
	Wait time.Duration `help:"How long to wait for a database that cannot be reached; 0s waits for ever." default:"30s"`
}

// Validate is called by kong.
func (f waitFlag) Validate() error {
	if f.Wait < 0 {
		return fmt.Errorf("--wait: %s is negative: 0s waits for ever", f.Wait)
	}
	return nil
}
