package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"logflume/ingest/kafka"
)

type checkCommand struct {
	configFlag
	databaseFlags
	waitFlag
	Database bool `help:"Also check connection, rights, schema and partitions of the database."`
	Ready    bool `help:"Ask the instance that runs on this machine with this configuration whether it is ready."`
}

// A checklist prints checks as they are made.
type checklist struct {
	to     io.Writer
	failed bool
}

func (c *checklist) ok(what, detail string)   { fmt.Fprintf(c.to, "ok    %-13s  %s\n", what, detail) }
func (c *checklist) warn(what, detail string) { fmt.Fprintf(c.to, "warn  %-13s  %s\n", what, detail) }
func (c *checklist) fail(what string, err error) {
	fmt.Fprintf(c.to, "fail  %-13s  %s\n", what, oneLine(err))
	c.failed = true
}

// Run makes all checks that were asked for, prints each, and fails if one did.
func (c *checkCommand) Run(ctx context.Context, p *program) error {
	f, err := loadConfig(c.Config, os.Environ())
	if err != nil {
		return err
	}
	w, err := newWiring(f, p.log) // compiles expressions, zones and ranges
	if err != nil {
		return err
	}
	list := &checklist{to: p.stdout}
	where := c.Config
	if where == "" {
		where = "defaults and environment"
	}
	list.ok("configuration", where)
	checkSecret(f, list)
	w.checkHost(list)
	w.checkSources(ctx, list)
	if listen := f.Telemetry.Listen; isReachable(listen) {
		list.warn("telemetry", listen+": "+reachable)
	}
	if c.Database {
		if err := c.checkDatabase(ctx, p, f, list); err != nil {
			return err
		}
	}
	if c.Ready {
		checkReady(ctx, f.Telemetry.Listen, list)
	}
	if list.failed {
		return errReported
	}
	return nil
}

// checkSecret warns of a password in a file that everybody may read.
func checkSecret(f *configFile, list *checklist) {
	info, err := os.Stat(f.path)
	if err != nil || info.Mode().Perm()&0o004 == 0 {
		return
	}
	for _, password := range passwords(f) {
		if password != "" && bytes.Contains(f.source, []byte(password)) {
			list.warn("configuration", f.path+" holds a password and everybody on this machine may read it: chmod 0640, or take it from the environment")
			return
		}
	}
}

// passwords returns those of f, wherever they come from.
func passwords(f *configFile) (all []string) {
	for _, u := range []secretURL{f.Database.URL, f.Database.MaintenanceURL} {
		if parsed, err := url.Parse(string(u)); err == nil {
			password, _ := parsed.User.Password()
			all = append(all, password)
		}
	}
	for _, s := range f.Sources {
		if s.Kafka != nil {
			all = append(all, string(s.Kafka.SASL.Password))
		}
	}
	return all
}

func (w *wiring) checkHost(list *checklist) {
	detail := fmt.Sprintf("%s (%s)", w.host, w.hostOrigin)
	if w.config.Host == "" && inContainer() {
		list.warn("host", detail+": this looks like a container, where that may change at the next start and all files "+
			"would be read again: set host, in Kubernetes to the node's name")
		return
	}
	list.ok("host", detail)
}

func (w *wiring) checkSources(ctx context.Context, list *checklist) {
	for i, s := range w.config.Sources {
		what := fmt.Sprintf("sources[%d]", i)
		if s.Kafka != nil {
			w.checkKafka(ctx, what, s.Kafka, list)
			continue
		}
		var found []string
		for _, pattern := range s.File.Paths {
			paths, err := doublestar.FilepathGlob(pattern, doublestar.WithFilesOnly(), doublestar.WithFailOnIOErrors())
			if err != nil {
				list.warn(what, fmt.Sprintf("%s: %v", pattern, err))
			}
			found = append(found, paths...)
		}
		slices.Sort(found)
		found = slices.Compact(found)
		var closed []string
		for _, path := range found {
			if file, err := os.Open(path); err != nil {
				closed = append(closed, path)
			} else {
				file.Close()
			}
		}
		switch detail := fmt.Sprintf("%d files match %s", len(found), strings.Join(s.File.Paths, ", ")); {
		case len(closed) > 0:
			list.fail(what, fmt.Errorf("%s, but %d of them cannot be read, as %s", detail, len(closed), closed[0]))
		case len(found) == 0:
			list.warn(what, detail)
		default:
			list.ok(what, detail)
		}
	}
}

// checkKafka asks the brokers for the topics and for the group.
func (w *wiring) checkKafka(ctx context.Context, what string, c *kafkaConfig, list *checklist) {
	o, err := w.kafkaOptions(c)
	if err != nil {
		list.fail(what, err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	found, err := kafka.Check(ctx, o)
	switch {
	case err != nil:
		list.fail(what, fmt.Errorf("kafka %s: %w", strings.Join(c.Brokers, ", "), err))
	case found.Topics == 0 && c.TopicPattern != "":
		list.warn(what, fmt.Sprintf("%s; no topic matches %s", found, c.TopicPattern))
	case len(found.Missing) > 0:
		list.warn(what, fmt.Sprintf("%s; not there yet: %s", found, strings.Join(found.Missing, ", ")))
	default:
		list.ok(what, found.String())
	}
}

func (c *checkCommand) checkDatabase(ctx context.Context, p *program, f *configFile, list *checklist) error {
	url, err := databaseURL(c.DatabaseURL, f)
	if err != nil {
		return err
	}
	err = patiently(ctx, c.Wait, p.log, func(ctx context.Context) error { return checkDatabase(ctx, url, f.Database.Schema) })
	if err != nil {
		list.fail("database", err)
		return nil
	}
	list.ok("database", fmt.Sprintf("%s: connection, rights and schema %s are fine", secretURL(url), f.Database.Schema))
	switch count, today, err := checkPartitions(ctx, url, f.Database.Schema); {
	case err != nil:
		list.fail("partitions", err)
	case !today:
		list.warn("partitions", fmt.Sprintf("%d, none of them for today: run and import make it when they need it", count))
	default:
		list.ok("partitions", fmt.Sprintf("%d, one of them for today", count))
	}
	return nil
}

// checkReady asks /readyz of the instance that listens on address.
func checkReady(ctx context.Context, address string, list *checklist) {
	if _, port, _ := net.SplitHostPort(address); port == "0" || port == "" {
		list.fail("ready", fmt.Errorf("telemetry.listen is %q, so where an instance listens is known to its log only: give it a port", address))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+ownAddress(address)+"/readyz", nil)
	if err != nil {
		list.fail("ready", err)
		return
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		list.fail("ready", fmt.Errorf("no instance answers: %w", err))
		return
	}
	defer response.Body.Close()
	var answer readyAnswer
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		list.fail("ready", fmt.Errorf("read the answer of %s: %w", address, err))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(answer.Checks)) {
		if result := answer.Checks[name]; result.OK {
			list.ok("ready", name)
		} else {
			list.fail("ready", fmt.Errorf("%s: %s", name, result.Error))
		}
	}
}
