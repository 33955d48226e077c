package main

import (
	"cmp"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"logflume/ingest/kafka"
)

// complete fills in the defaults, which the YAML library cannot do for elements of a list.
func (c *kafkaConfig) complete() {
	d := defaultKafka()
	c.StartAt = cmp.Or(c.StartAt, d.StartAt)
	c.SessionTimeout = cmp.Or(c.SessionTimeout, d.SessionTimeout)
	c.ProgressTimeout = cmp.Or(c.ProgressTimeout, d.ProgressTimeout)
}

var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

func (v *validation) kafkaSource(key string, c *kafkaConfig) {
	v.require(len(c.Brokers) > 0, key+".brokers", "is empty: give at least one address, as kafka1:9092")
	for i, b := range c.Brokers {
		v.require(isAddress(b), fmt.Sprintf("%s.brokers[%d]", key, i), "%q is no address: write host:port, as kafka1:9092", b)
	}
	v.require(len(c.Topics) > 0 || c.TopicPattern != "", key+".topics", "is empty: name at least one topic, or give a topic_pattern")
	for i, t := range c.Topics {
		v.require(topicName.MatchString(t), fmt.Sprintf("%s.topics[%d]", key, i),
			"%q is no name of a topic: those have letters, digits, '.', '_' and '-'; for expressions there is topic_pattern", t)
	}
	_, err := c.pattern()
	v.require(err == nil, key+".topic_pattern", "%v", err)
	v.require(c.Group != "", key+".group", "is empty: name the consumer group; instances that share the work have the same")
	v.startAt(key, c.StartAt)
	session := time.Duration(c.SessionTimeout)
	v.require(session >= 500*time.Millisecond && session <= time.Hour, key+".session_timeout", "%s is not from 500ms to 1h", c.SessionTimeout)
	v.require(c.ProgressTimeout >= duration(10*time.Second), key+".progress_timeout", "%s is too short: use 10s or more", c.ProgressTimeout)
	v.kafkaTLS(key+".tls", &c.TLS)
	v.kafkaSASL(key+".sasl", c)
}

// pattern compiles the topic pattern, which has to match whole names; nil when there is none.
func (c *kafkaConfig) pattern() (*regexp.Regexp, error) {
	if c.TopicPattern == "" {
		return nil, nil
	}
	if _, err := regexp.Compile(c.TopicPattern); err != nil {
		return nil, err
	}
	return regexp.Compile(`^(?:` + c.TopicPattern + `)$`)
}

func (v *validation) kafkaTLS(key string, c *kafkaTLSConfig) {
	if !c.Enabled {
		for name, value := range map[string]string{"ca": c.CA, "cert": c.Cert, "key": c.Key, "server_name": c.ServerName} {
			v.require(value == "", key+"."+name, "has no effect without enabled: true")
		}
		return
	}
	if (c.Cert == "") != (c.Key == "") {
		v.require(c.Key != "", key+".cert", "has no key: set key too, or remove cert")
		v.require(c.Cert != "", key+".key", "has no certificate: set cert too, or remove key")
		return
	}
	if _, err := kafka.NewTLS(c.files()); err != nil {
		about, what, _ := strings.Cut(err.Error(), ": ")
		v.require(false, key+"."+about, "%s", what)
	}
}

func (c *kafkaTLSConfig) files() kafka.TLSFiles {
	return kafka.TLSFiles{CA: c.CA, Cert: c.Cert, Key: c.Key, ServerName: c.ServerName}
}

func (v *validation) kafkaSASL(key string, c *kafkaConfig) {
	s := &c.SASL
	if s.Mechanism == "" {
		v.require(s.Username == "" && s.Password == "", key+".mechanism", "is missing: use one of %s", strings.Join(kafka.Mechanisms, ", "))
		return
	}
	if !slices.Contains(kafka.Mechanisms, s.Mechanism) {
		v.require(false, key+".mechanism", "%q is not known: use one of %s", s.Mechanism, strings.Join(kafka.Mechanisms, ", "))
		return
	}
	v.require(s.Username != "", key+".username", "is empty")
	v.require(s.Password != "", key+".password", `is empty: set it, best as "${KAFKA_PASSWORD}"`)
	clear := s.Mechanism == kafka.Plain && !c.TLS.Enabled && slices.ContainsFunc(c.Brokers, isElsewhere)
	v.require(!clear, key+".mechanism", "PLAIN without TLS would send the password in clear to other machines: set tls.enabled, or use SCRAM-SHA-512")
	_, err := kafka.NewSASL(s.Mechanism, s.Username, string(s.Password))
	v.require(err == nil, key, "%v", err)
}

// isAddress reports whether s is host:port.
func isAddress(s string) bool {
	host, port, err := net.SplitHostPort(s)
	number, numberErr := strconv.ParseUint(port, 10, 16)
	return err == nil && numberErr == nil && number > 0 && host != ""
}

// isElsewhere reports whether an address is not on this machine.
func isElsewhere(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	return !isLocal(host)
}
