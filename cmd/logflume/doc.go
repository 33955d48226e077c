// Command logflume reads log files and stores each line in PostgreSQL exactly once.
//
// This package is the shell around the pipeline: command line (cli.go and a file for each command), configuration
// (config*.go), the wiring of the parts (wire.go, the place to begin reading), the listener that shows the process to the
// outside (telemetry.go, health.go, metrics.go), and the demo. It alone knows all other packages.
//
// Units: durations and sizes of the configuration are types of their own (config_value.go); the packages that get them
// take [time.Duration] and bytes.
//
// Ownership: a wiring owns what the parts of one pipeline share, budget, counters and calendar, for the life of one
// command. Nothing is global.
//
// Concurrency: a command runs on the main goroutine and waits for all others it starts. One more turns signals into the
// end of a context; see signals.go for what the second signal does.
package main
