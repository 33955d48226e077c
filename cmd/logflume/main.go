package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // at run time, or a second signal while draining
	exitUsage  = 2 // wrong command line or configuration
)

func main() {
	os.Exit(execute(os.Args[1:]))
}

// A program is what a command needs from the world around it.
type program struct {
	stdin  *os.File
	stdout io.Writer // results
	stderr io.Writer // messages of the command line; the log goes there too
	log    *slog.Logger
}

// execute runs the command that args name and returns the exit code.
func execute(args []string) int {
	signals := catchSignals()
	var flags commandLine
	exit := -1
	parser, err := kong.New(&flags,
		kong.Name("logflume"),
		kong.Description("Ships log files into PostgreSQL, each line exactly once."),
		kong.Writers(os.Stdout, os.Stderr),
		kong.Exit(func(code int) { exit = code }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		panic(err) // the struct tags of commandLine are wrong
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "logflume: %v\nlogflume --help shows what there is.\n", err)
		return exitUsage
	}
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, log: newLogger(os.Stderr, flags.LogLevel)}
	ctx, stop := withSignals(context.Background(), signals, p.log)
	defer stop()
	command.BindTo(ctx, (*context.Context)(nil))
	return p.report(command.Run(p))
}

// report prints err, if any, and returns the exit code it stands for.
func (p *program) report(err error) int {
	var wrong configError
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		fmt.Fprintln(p.stderr, wrong)
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintf(p.stderr, "logflume: %v\n", usage)
		return exitUsage
	case errors.Is(err, errReported):
		return exitFailed
	}
	fmt.Fprintf(p.stderr, "logflume: %s\n", oneLine(err))
	return exitFailed
}

// errReported ends the program with exit code 1 and no further message: the command has printed what failed.
var errReported = errors.New("reported")
