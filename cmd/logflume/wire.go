package main

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"logflume/analyze"
	"logflume/enrich"
	"logflume/ingest/file"
	"logflume/ingest/kafka"
	"logflume/parse"
	"logflume/pipeline"
	"logflume/sink/postgres"
)

const (
	// drain is how long after a signal lines that were read may still be committed. What is not is read again at the
	// next start, so nothing depends on it but the time of a restart.
	drain = 20 * time.Second

	// channelDepth is how many batches may wait between stages; their memory is bounded by limits.memory.
	channelDepth = 16

	// flushBytes is the size of a transaction that is large enough. The sink holds a few, so they are a small part of
	// limits.memory.
	flushBytes = 8 << 20
)

// A wiring makes the parts of a pipeline from a configuration. What they share it holds.
type wiring struct {
	config           *configFile
	host, hostOrigin string
	log              *slog.Logger

	budget   *pipeline.Budget
	stats    *pipeline.Stats
	calendar *pipeline.Calendar

	parse, filter, enrich, analyze func() pipeline.Processor // each makes the stage of one worker
}

// pipeline puts the parts together:
//
//	sources ─► batches ─► parse ─► filter ─► enrich ─► analyze ─► encode ─► sink
//	                      └──────────────── N workers ─────────────────┘
func (w *wiring) pipeline(sink pipeline.Sink, positions pipeline.Checkpoints, sources ...pipeline.Source) pipeline.Pipeline {
	return pipeline.Pipeline{
		Sources: sources,
		Intake:  pipeline.NewIntake(positions, w.budget, w.stats, channelDepth),
		Workers: runtime.GOMAXPROCS(0),
		Stages: func() []pipeline.Processor {
			return []pipeline.Processor{w.parse(), w.filter(), w.enrich(), w.analyze(), postgres.Encoder{}}
		},
		Sink:  sink,
		Grace: drain,
	}
}

// newWiring compiles the configuration. What does not compile is a [configError].
func newWiring(f *configFile, log *slog.Logger) (*wiring, error) {
	w := &wiring{config: f, log: log, stats: &pipeline.Stats{}, budget: pipeline.NewBudget(int64(f.Limits.Memory))}
	w.calendar = pipeline.NewCalendar(int(f.Limits.Partitions), time.Now)
	var err error
	if w.host, w.hostOrigin, err = hostIdentity(f.Host); err != nil {
		return nil, configError{f.problem("host", fmt.Sprintf("cannot be found out, set it: %v", err))}
	}
	if problems := w.compile(); len(problems) > 0 {
		return nil, problems
	}
	w.analyze = analyze.New(w.analyzeOptions())
	return w, nil
}

// compile returns what the packages that expressions, zones and ranges are for find wrong with them, beside what is known.
func (w *wiring) compile() (problems configError) {
	for _, part := range []func() configError{w.compileParse, w.compileFilter, w.compileEnrich} {
		problems = append(problems, part()...)
	}
	return slices.DeleteFunc(problems, func(p problem) bool { return w.config.wrong(p.key) })
}

func (w *wiring) compileParse() (problems configError) {
	zone, err := time.LoadLocation(w.config.Parse.TimeZone)
	if err != nil {
		problems = append(problems, w.config.problem("parse.time_zone", fmt.Sprintf("%v: use UTC, Local or a name such as Europe/Paris", err)))
	}
	w.parse, err = parse.New(parse.Options{
		Format: parse.Format(w.config.Parse.Format), Zone: zone, Fields: w.config.Parse.Fields, Service: w.config.Service,
		ServiceOf: serviceOf(w.config.Sources), Retention: time.Duration(w.config.Database.Retention), Calendar: w.calendar, Stats: w.stats,
	})
	return append(problems, w.inConfig("parse.", err)...)
}

func (w *wiring) compileFilter() configError {
	c := &w.config.Filter
	filter, err := parse.NewFilter(c.Drop, c.Keep, c.Sample)
	w.filter = func() pipeline.Processor { return filter.Processor(w.stats) }
	return w.inConfig("", err)
}

// inConfig makes a problem of an error whose text begins with the key below section, and of each of several.
func (w *wiring) inConfig(section string, err error) (problems configError) {
	if err == nil {
		return nil
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			problems = append(problems, w.inConfig(section, one)...)
		}
		return problems
	}
	key, what, _ := strings.Cut(err.Error(), ": ")
	return configError{w.config.problem(section+key, what)}
}

func (w *wiring) compileEnrich() configError {
	c := &w.config.Enrich
	hostname := ""
	var err error
	if c.Hostname {
		if hostname, err = os.Hostname(); err != nil {
			return configError{w.config.problem("enrich.hostname", fmt.Sprintf("the host name cannot be found out, set this to false: %v", err))}
		}
	}
	w.enrich, err = enrich.New(enrich.Options{Hostname: hostname, UserAgent: c.UserAgent, Zones: c.IPZones})
	if err != nil {
		return configError{w.config.problem("enrich.ip_zones", err.Error())}
	}
	return nil
}

func (w *wiring) analyzeOptions() analyze.Options {
	c := &w.config.Analyze
	return analyze.Options{Window: time.Duration(c.Window), SlowRequest: time.Duration(c.SlowRequest)}
}

func (w *wiring) newAggregate() pipeline.Aggregate { return analyze.NewAggregate(w.analyzeOptions()) }

// sources returns the configured sources: one for all files together, and one for each Kafka entry.
func (w *wiring) sources() (list []pipeline.Source, topics []*kafka.Source, err error) {
	var inputs []file.Input
	for _, s := range w.config.Sources {
		switch {
		case s.File != nil:
			inputs = append(inputs, s.File.input())
		case s.Kafka != nil:
			source, err := w.kafka(s.Kafka)
			if err != nil {
				return nil, nil, err
			}
			list, topics = append(list, source), append(topics, source)
		}
	}
	if len(inputs) > 0 {
		files, err := w.files(inputs)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, files)
	}
	return list, topics, nil
}

func (w *wiring) kafka(c *kafkaConfig) (*kafka.Source, error) {
	o, err := w.kafkaOptions(c)
	if err != nil {
		return nil, err
	}
	return kafka.New(o)
}

// kafkaOptions makes the options of a source of what was validated.
func (w *wiring) kafkaOptions(c *kafkaConfig) (o kafka.Options, err error) {
	o = kafka.Options{
		Brokers: c.Brokers, Topics: c.Topics, Group: c.Group, StartAt: kafka.StartAt(c.StartAt),
		Session: time.Duration(c.SessionTimeout), Progress: time.Duration(c.ProgressTimeout),
		Attrs: c.Attrs, LineLimit: int(w.config.Limits.Line), Positions: w.config.Database.Schema + ".log_positions", Log: w.log,
	}
	if o.Pattern, err = c.pattern(); err != nil {
		return o, err
	}
	if t := c.TLS; t.Enabled {
		if o.TLS, err = kafka.NewTLS(t.files()); err != nil {
			return o, err
		}
	}
	if s := c.SASL; s.Mechanism != "" {
		o.SASL, err = kafka.NewSASL(s.Mechanism, s.Username, string(s.Password))
	}
	return o, err
}

// files returns the source of all files.
func (w *wiring) files(inputs []file.Input) (*file.Source, error) {
	return file.New(file.Options{
		Inputs: inputs, Host: w.host, LineLimit: int(w.config.Limits.Line), Joins: w.joins(),
		CopyWait: time.Duration(w.config.Files.CopyWait), Grace: time.Duration(w.config.Files.Grace),
		Deleted: time.Duration(w.config.Files.DeletedWait), Log: w.log,
	})
}

// joins says which lines are one event: none that parsing then refuses line by line, or takes as they are.
func (w *wiring) joins() file.Joins {
	format := parse.Format(w.config.Parse.Format)
	return file.Joins{
		Traces: w.config.Files.Multiline == multilineAuto && format != parse.JSON && format != parse.Logfmt,
		Pieces: format != parse.JSON && format != parse.Logfmt && format != parse.Text,
	}
}

// postgres returns the sink at url.
func (w *wiring) postgres(url string) (*postgres.Sink, error) {
	c := w.config
	maintenance := ""
	if c.Database.MaintenanceURL != "" {
		maintenance = verified(string(c.Database.MaintenanceURL))
	}
	// In containers every process has the number 1; with the time each has a row of its own in log_instances.
	instance := fmt.Sprintf("%s/%d/%d", w.host, os.Getpid(), time.Now().Unix())
	return postgres.New(postgres.Options{
		URL: url, MaintenanceURL: maintenance, Schema: c.Database.Schema,
		Instance: instance, Host: w.host, Version: version(),
		Sources:   w.sourceState,
		FlushRows: int(c.Flush.Rows), FlushBytes: min(flushBytes, int(c.Limits.Memory)/8),
		FlushInterval: time.Duration(c.Flush.Interval), DeadBytes: int64(c.Limits.DeadLetters), Retention: time.Duration(c.Database.Retention),
		RetentionWindows: time.Duration(c.Database.RetentionWindows),
		Merge:            analyze.Merge, NewAggregate: w.newAggregate, Calendar: w.calendar, Stats: w.stats, Log: w.log,
	})
}

// sourceState returns what log_instances tells of this process's sources.
func (w *wiring) sourceState() []byte {
	s := w.stats
	return fmt.Appendf(nil, `{"files_open":%d,"files_waiting":%d,"files_held":%d,"lag_bytes":%d,`+
		`"partitions":%d,"partitions_stuck":%d,"lag_messages":%d}`,
		s.FilesOpen.Load(), s.FilesWaiting.Load(), s.FilesHeld.Load(), s.Lag.Load(),
		s.Partitions.Load(), s.PartitionsStuck.Load(), s.LagMessages.Load())
}
