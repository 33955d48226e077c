package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logflume/internal/testkit"
)

// kafkaEntry returns a configuration with one Kafka source that is right but for the lines given, which replace those of
// the same keys or are added.
func kafkaEntry(changes ...string) string {
	lines := []string{"brokers: [kafka1:9092]", "topics: [logs]", "group: logflume"}
next:
	for _, change := range changes {
		key, _, _ := strings.Cut(change, ":")
		for i, line := range lines {
			if strings.HasPrefix(line, key+":") {
				lines[i] = change
				continue next
			}
		}
		lines = append(lines, change)
	}
	return "sources:\n  - kafka:\n      " + strings.Join(lines, "\n      ") + "\n"
}

// Each key of the section wrong once: the place, the key, and what to do.
func TestKafkaConfigRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	authority := testkit.NewAuthority(t)
	certificate, key := authority.Client()
	_, otherKey := authority.Client()
	for name, text := range map[string]string{"cert": certificate, "key": key, "other": otherKey, "text": "no PEM"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const login = "sasl: {mechanism: SCRAM-SHA-512, username: u, password: hunter2}"
	for _, c := range []struct{ change, want string }{
		{"brokers: []", ":3:16: sources[0].kafka.brokers: is empty: give at least one address, as kafka1:9092"},
		{"brokers: [a:1, kafka1]", `:3:22: sources[0].kafka.brokers[1]: "kafka1" is no address: write host:port, as kafka1:9092`},
		{"brokers: [kafka1:99999]", `:3:17: sources[0].kafka.brokers[0]: "kafka1:99999" is no address`},
		{"brokers: kafka1:9092", ":3:16: sources[0].kafka.brokers: needs a list"},
		{"topics: []", ":4:15: sources[0].kafka.topics: is empty: name at least one topic, or give a topic_pattern"},
		{"topics: [logs.*]", `:4:16: sources[0].kafka.topics[0]: "logs.*" is no name of a topic`},
		{"topic_pattern: logs.(", ":6:22: sources[0].kafka.topic_pattern: error parsing regexp: missing closing )"},
		{"group: ''", ":5:14: sources[0].kafka.group: is empty: name the consumer group"},
		{"start_at: middle", `:6:17: sources[0].kafka.start_at: "middle" is neither beginning nor end`},
		{"session_timeout: 100ms", ":6:24: sources[0].kafka.session_timeout: 100ms is not from 500ms to 1h"},
		{"session_timeout: soon", `:6:24: sources[0].kafka.session_timeout: "soon" is no duration: write a number and its unit`},
		{"progress_timeout: 1s", ":6:25: sources[0].kafka.progress_timeout: 1s is too short: use 10s or more"},
		{"attrs: perhaps", ":6:14: sources[0].kafka.attrs: needs true or false"},
		{"offset: 1", ":6:7: sources[0].kafka.offset: no such key: known here: brokers, topics"},

		{"tls: {enabled: perhaps}", ":6:22: sources[0].kafka.tls.enabled: needs true or false"},
		{"tls: {ca: /no/such}", ":6:17: sources[0].kafka.tls.ca: has no effect without enabled: true"},
		{"tls: {server_name: kafka1}", ":6:26: sources[0].kafka.tls.server_name: has no effect without enabled: true"},
		{"tls: {enabled: true, ca: /no/such}", ":6:32: sources[0].kafka.tls.ca: open /no/such: no such file"},
		{"tls: {enabled: true, ca: DIR/text}", ":6:32: sources[0].kafka.tls.ca: DIR/text has no certificate in PEM form"},
		{"tls: {enabled: true, cert: DIR/cert}", ":6:34: sources[0].kafka.tls.cert: has no key: set key too, or remove cert"},
		{"tls: {enabled: true, key: DIR/key}", ":6:33: sources[0].kafka.tls.key: has no certificate: set cert too, or remove key"},
		{"tls: {enabled: true, cert: /no/such, key: DIR/key}", ":6:34: sources[0].kafka.tls.cert: open /no/such: no such file"},
		{"tls: {enabled: true, cert: DIR/cert, key: DIR/none}", ".kafka.tls.key: open DIR/none: no such file"},
		{"tls: {enabled: true, cert: DIR/cert, key: DIR/other}", ":6:34: sources[0].kafka.tls.cert: DIR/cert and DIR/other are no certificate and its key: tls: private key does not match"},

		{"sasl: {username: u, password: hunter2}", ":6:13: sources[0].kafka.sasl.mechanism: is missing: use one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"},
		{"sasl: {mechanism: GSSAPI, username: u, password: hunter2}", `:6:25: sources[0].kafka.sasl.mechanism: "GSSAPI" is not known: use one of PLAIN`},
		{"sasl: {mechanism: PLAIN, username: u, password: hunter2}", ":6:25: sources[0].kafka.sasl.mechanism: PLAIN without TLS would send the password in clear to other machines: set tls.enabled, or use SCRAM-SHA-512"},
		{"sasl: {mechanism: SCRAM-SHA-512, password: hunter2}", ":6:13: sources[0].kafka.sasl.username: is empty"},
		{"sasl: {mechanism: SCRAM-SHA-512, username: u}", `:6:13: sources[0].kafka.sasl.password: is empty: set it, best as "${KAFKA_PASSWORD}"`},
		{"sasl: {mechanism: SCRAM-SHA-512, username: u, password: [hunter2]}", ".kafka.sasl.password: needs a text"},
		{`sasl: {mechanism: SCRAM-SHA-512, username: u, password: "hunter2\a"}`, ":6:13: sources[0].kafka.sasl: user or password has characters that SCRAM does not allow"},
		{"sasl: {mechanism: SCRAM-SHA-512, username: u, password: '${NO_SUCH}'}", "environment variable NO_SUCH is not set"},
		{login[:len(login)-1] + ", realm: x}", ".kafka.sasl.realm: no such key: known here: mechanism, username, password"},
	} {
		_, err := load(t, kafkaEntry(strings.ReplaceAll(c.change, "DIR", dir)))
		var wrong configError
		if !errors.As(err, &wrong) || len(wrong) != 1 {
			t.Errorf("%s: got %v, want a configError with one problem", c.change, err)
			continue
		}
		if want := strings.ReplaceAll(c.want, "DIR", dir); !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q is not in:\n%s", c.change, want, err)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: password in message:\n%s", c.change, err)
		}
	}
}

// What can also be wrong with several keys together.
func TestKafkaConfigRefusesTogether(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		kafkaEntry("brokers: ['127.0.0.1:9092', kafka1:9092]", "sasl: {mechanism: PLAIN, username: u, password: p}"): "PLAIN without TLS",
		kafkaEntry("file: {}"): "no such key",
		"sources:\n  - kafka: {brokers: ['a:1'], topics: [b], group: c}\n    file: {paths: [/d]}\n": "sources[0]: names two kinds of source: make each an entry of the list",
		"sources:\n  - kafka: [a]\n": ":2:12: sources[0].kafka: needs a mapping",
		"sources:\n  - kafka: {}\n":  ":2:12: sources[0].kafka.brokers: is empty",
		kafkaEntry("sasl:\n        mechanism: SCRAM-SHA-512\n        username: u\n        password:\n          - hunter2"): ":10:11: needs a text",
		kafkaEntry("sasl:\n        password:\n        - hunter2"):                                                          "needs a text",
		kafkaEntry("sasl:\n        mechanism: PLAIN\n        password: hunter2, #\n        user: hunter"):                  "sasl.user: no such key: known here: mechanism, username, password",
	} {
		_, err := load(t, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot %v, want %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("password in message:\n%s", err)
		}
	}
}

func TestKafkaConfigAccepts(t *testing.T) {
	t.Parallel()
	f, err := load(t, kafkaEntry("topics: []", "topic_pattern: 'logs\\..*'", "brokers: ['[::1]:9092', localhost:9093]", "start_at: end",
		"session_timeout: 6s", "progress_timeout: 1m", "attrs: true", "sasl: {mechanism: PLAIN, username: u, password: '${P}'}"), "P=hunter2")
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWiring(f, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	o, err := w.kafkaOptions(f.Sources[0].Kafka)
	if err != nil {
		t.Fatal(err)
	}
	if o.Session != 6*time.Second || o.Progress != time.Minute || !o.Attrs || o.StartAt != "end" || o.TLS != nil || o.SASL == nil {
		t.Errorf("%+v", o)
	}
	for topic, want := range map[string]bool{"logs.shop": true, "logs": false, "my.logs.shop": false} {
		if got := o.Pattern.MatchString(topic); got != want {
			t.Errorf("%s matches: %v, want %v", topic, got, want)
		}
	}
	f, err = load(t, kafkaEntry())
	if err != nil {
		t.Fatal(err)
	}
	if c, d := f.Sources[0].Kafka, defaultKafka(); c.StartAt != d.StartAt || c.SessionTimeout != d.SessionTimeout || c.ProgressTimeout != d.ProgressTimeout {
		t.Errorf("%+v", c)
	}
}
