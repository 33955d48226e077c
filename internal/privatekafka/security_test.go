package privatekafka_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"logflume/internal/privatekafka"
	"logflume/internal/testkit"
)

// server returns what a node encrypts with.
func server(a *testkit.Authority) *privatekafka.TLS {
	certificate, key := a.Server()
	return &privatekafka.TLS{Certificate: certificate, Key: key}
}

// pool returns the authority as one that a client trusts.
func pool(a *testkit.Authority) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM([]byte(a.PEM))
	return p
}

// clientPair returns a certificate that a client shows.
func clientPair(t *testing.T, a *testkit.Authority) tls.Certificate {
	t.Helper()
	certificate, key := a.Client()
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// ping connects, asks for metadata and returns what went wrong.
func ping(t *testing.T, brokers []string, options ...kgo.Opt) error {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(brokers...), kgo.RequestRetries(0))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return client.Ping(ctx)
}

func TestTLSAndSASL(t *testing.T) {
	t.Parallel()
	ca, stranger := testkit.NewAuthority(t), testkit.NewAuthority(t)
	encryption := server(ca)
	encryption.ClientCAs = ca.PEM
	c := start(t, privatekafka.Options{TLS: encryption, Users: []privatekafka.User{{Name: "alice", Password: "al-ice.1"}}})
	trusting := func(certificates ...tls.Certificate) kgo.Opt {
		return kgo.DialTLSConfig(&tls.Config{RootCAs: pool(ca), Certificates: certificates})
	}
	login := func(mechanism sasl.Mechanism) []kgo.Opt { return []kgo.Opt{trusting(), kgo.SASL(mechanism)} }
	right, wrong := scram.Auth{User: "alice", Pass: "al-ice.1"}, scram.Auth{User: "alice", Pass: "bob"}
	for name, test := range map[string]struct {
		brokers []string
		options []kgo.Opt
		ok      bool
	}{
		"certificate":          {c.TLSBrokers(), []kgo.Opt{trusting(clientPair(t, ca))}, true},
		"stranger's":           {c.TLSBrokers(), []kgo.Opt{trusting(clientPair(t, stranger))}, false},
		"no certificate":       {c.TLSBrokers(), []kgo.Opt{trusting()}, false},
		"server not trusted":   {c.TLSBrokers(), []kgo.Opt{kgo.DialTLSConfig(&tls.Config{RootCAs: pool(stranger)})}, false},
		"not encrypted":        {c.TLSBrokers(), nil, false},
		"plain":                {c.SASLBrokers(), login(plain.Auth{User: "alice", Pass: "al-ice.1"}.AsMechanism()), true},
		"plain, wrong":         {c.SASLBrokers(), login(plain.Auth{User: "alice", Pass: "bob"}.AsMechanism()), false},
		"scram-sha-256":        {c.SASLBrokers(), login(right.AsSha256Mechanism()), true},
		"scram-sha-256, wrong": {c.SASLBrokers(), login(wrong.AsSha256Mechanism()), false},
		"scram-sha-512":        {c.SASLBrokers(), login(right.AsSha512Mechanism()), true},
		"scram-sha-512, wrong": {c.SASLBrokers(), login(wrong.AsSha512Mechanism()), false},
		"no login":             {c.SASLBrokers(), []kgo.Opt{trusting()}, false},
		"plaintext":            {c.Brokers(), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := ping(t, test.brokers, test.options...); (err == nil) != test.ok {
				t.Errorf("%v", err)
			}
		})
	}
}

// Without client authorities nobody needs a certificate; without TLS people log in on a connection in the clear.
func TestTLSOrSASL(t *testing.T) {
	t.Parallel()
	ca := testkit.NewAuthority(t)
	c := start(t, privatekafka.Options{TLS: server(ca)})
	if err := ping(t, c.TLSBrokers(), kgo.DialTLSConfig(&tls.Config{RootCAs: pool(ca)})); err != nil {
		t.Error(err)
	}
	if at := c.SASLBrokers(); at != nil {
		t.Errorf("SASL at %v", at)
	}
	c = start(t, privatekafka.Options{Users: []privatekafka.User{{Name: "alice", Password: "secret"}}})
	if err := ping(t, c.SASLBrokers(), kgo.SASL(scram.Auth{User: "alice", Pass: "secret"}.AsSha512Mechanism())); err != nil {
		t.Error(err)
	}
	if at := c.TLSBrokers(); at != nil {
		t.Errorf("TLS at %v", at)
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	installation := privatekafka.Installation{Java: "not reached"}
	for want, o := range map[string]privatekafka.Options{
		"certificate and its key": {TLS: &privatekafka.TLS{}},
		`user "a;b"`:              {Users: []privatekafka.User{{Name: "a;b", Password: "c"}}},
		`user "a"`:                {Users: []privatekafka.User{{Name: "a", Password: ""}}},
		"-1 nodes":                {Nodes: -1},
	} {
		o.Installation = installation
		if _, err := privatekafka.Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
