package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"syscall"

	"github.com/segmentio/kafka-go"
)

// What may be in trouble besides partitions, which go by their names.
const (
	brokers     = "brokers"
	coordinator = "consumer group"
)

// troubles is what keeps a source from reading, by what is in trouble. Safe for concurrent use.
type troubles struct {
	mu   sync.Mutex
	list map[string]error
}

// set notes that what is in trouble because of err, or no longer is when err is nil. It reports whether that is news, to
// be logged: what is tried again and again fails the same way each time.
func (t *troubles) set(what string, err error) (news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.list[what]
	switch {
	case err == nil:
		delete(t.list, what)
		return before != nil
	case errors.Is(err, context.Canceled): // we are told to stop
		return false
	}
	if t.list == nil {
		t.list = map[string]error{}
	}
	t.list[what] = err
	return before == nil || before.Error() != err.Error()
}

// first returns one of the troubles, always the same of the same, or nil.
func (t *troubles) first() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(t.list)) {
		return fmt.Errorf("%s: %w", what, t.list[what])
	}
	return nil
}

// clear forgets the troubles of partitions.
func (t *troubles) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.list, func(what string, _ error) bool { return what != brokers && what != coordinator })
}

// Refused reports whether err means that the brokers do not want us, or that we do not trust them, which no trying again
// mends.
func Refused(err error) bool {
	if isUnverified(err) || isOurCertificate(err) {
		return true
	}
	for _, code := range []kafka.Error{
		kafka.SASLAuthenticationFailed, kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState,
		kafka.TopicAuthorizationFailed, kafka.GroupAuthorizationFailed, kafka.ClusterAuthorizationFailed,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// settling reports whether err is what brokers say while the group moves to another one of them, as when one starts.
func settling(err error) bool {
	return errors.Is(err, kafka.GroupLoadInProgress) || errors.Is(err, kafka.GroupCoordinatorNotAvailable) ||
		errors.Is(err, kafka.NotCoordinatorForGroup)
}

// divided reports whether err says that the group is being divided anew without us having come back yet, which is how
// it always goes on when members come and go.
func divided(err error) bool {
	return errors.Is(err, kafka.RebalanceInProgress) || errors.Is(err, kafka.UnknownMemberId) || errors.Is(err, kafka.IllegalGeneration)
}

// remedies says what to do about errors of brokers.
var remedies = map[kafka.Error]string{
	kafka.SASLAuthenticationFailed:  "user or password are wrong: look at sasl.username, sasl.password and sasl.mechanism",
	kafka.UnsupportedSASLMechanism:  "the broker does not offer this sasl.mechanism: use one of those it names",
	kafka.IllegalSASLState:          "the broker wants no login on this port: remove sasl, or name the port that is for it",
	kafka.TopicAuthorizationFailed:  "this user may not read the topic: grant it READ on the topic",
	kafka.GroupAuthorizationFailed:  "this user may not use the group: grant it READ on the group",
	kafka.InvalidSessionTimeout:     "the brokers do not allow this session_timeout: group.min.session.timeout.ms and group.max.session.timeout.ms bound it",
	kafka.InconsistentGroupProtocol: "another application is in this group: name a group of our own",
}

// remedy adds what to do about err.
func (o *Options) remedy(err error) error {
	if err == nil {
		return nil
	}
	if what := o.remedyFor(err); what != "" {
		return fmt.Errorf("%w (%s)", err, what)
	}
	return err
}

// remedyFor returns what to do about err, "" if that is not known.
func (o *Options) remedyFor(err error) string {
	var code kafka.Error
	if errors.As(err, &code) && remedies[code] != "" {
		return remedies[code]
	}
	switch {
	case isUnverified(err):
		return "the broker's certificate is not trusted: look at tls.ca and tls.server_name"
	case isOurCertificate(err) && (o.TLS == nil || len(o.TLS.Certificates) == 0):
		return "the broker wants a certificate of ours: set tls.cert and tls.key"
	case isOurCertificate(err):
		return "the broker does not accept our certificate: look at tls.cert"
	case isHandshake(err):
		return "the broker does not speak TLS on this port: look at tls.enabled and at the port"
	case errors.Is(err, errNoBroker):
		return "look at brokers and at the port"
	case isEnd(err):
		return "the broker ended the connection: " + o.whyEnded()
	case isUnreachable(err):
		return "no broker answers there: look at brokers; an address that is not among them is what a broker calls itself, " +
			"its advertised.listeners"
	case isLate(err):
		return "no answer in time: is it a Kafka broker, and does a firewall let its answers through?"
	}
	return ""
}

// whyEnded guesses why a broker ends a connection without a word.
func (o *Options) whyEnded() string {
	switch {
	case o.TLS == nil && o.SASL == nil:
		return "does it want TLS (tls.enabled) or a login (sasl) on this port?"
	case o.TLS == nil:
		return "does it want TLS (tls.enabled) on this port?"
	case o.SASL == nil:
		return "does it speak TLS on this port, or does it want a login (sasl)?"
	}
	return "does it speak TLS on this port?"
}

// isUnverified reports whether a certificate was not accepted by us.
func isUnverified(err error) bool {
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	return errors.As(err, &certificate) || errors.As(err, &authority) || errors.As(err, &name)
}

// certificateAlerts are the alerts of TLS about the certificate of whoever gets them: bad, unsupported, revoked, expired,
// unknown, of an unknown authority, missing (RFC 8446, 6.2).
var certificateAlerts = []tls.AlertError{42, 43, 44, 45, 46, 48, 116}

// isOurCertificate reports whether the broker did not accept our certificate, or got none. The alert has a type of its own
// that can only be compared by its text.
func isOurCertificate(err error) bool {
	var remote *net.OpError
	return errors.As(err, &remote) && remote.Op == "remote error" && slices.ContainsFunc(certificateAlerts, func(a tls.AlertError) bool {
		return remote.Err.Error() == a.Error()
	})
}

// isHandshake reports whether what answered does not speak TLS.
func isHandshake(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header)
}

// isEnd reports whether the broker ended the connection instead of answering.
func isEnd(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// isUnreachable reports whether there was no connection.
func isUnreachable(err error) bool {
	var name *net.DNSError
	var connection *net.OpError
	return errors.As(err, &name) || errors.As(err, &connection) && connection.Op == "dial"
}

// isLate reports whether an answer did not come in time.
func isLate(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
