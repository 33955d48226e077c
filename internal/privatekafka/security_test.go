package privatekafka_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"logflume/internal/privatekafka"
)

// An authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, pool: x509.NewCertPool()}
	a.pem, _ = a.issue(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.pool.AddCert(a.cert)
	return a
}

// issue returns a certificate and its key in PEM. The first one is the authority's own.
func (a *authority) issue(template *x509.Certificate) (certificate, key string) {
	a.t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: "logflume test"}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if a.cert == nil {
		a.cert, a.key = template, secret
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, secret.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.key == secret {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			a.t.Fatal(err)
		}
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// server returns what a node encrypts with.
func (a *authority) server() *privatekafka.TLS {
	certificate, key := a.issue(&x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return &privatekafka.TLS{Certificate: certificate, Key: key}
}

// client returns a certificate that a client shows.
func (a *authority) client() tls.Certificate {
	certificate, key := a.issue(&x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		a.t.Fatal(err)
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
	ca, stranger := newAuthority(t), newAuthority(t)
	encryption := ca.server()
	encryption.ClientCAs = ca.pem
	c := start(t, privatekafka.Options{TLS: encryption, Users: []privatekafka.User{{Name: "alice", Password: "al-ice.1"}}})
	trusting := func(certificates ...tls.Certificate) kgo.Opt {
		return kgo.DialTLSConfig(&tls.Config{RootCAs: ca.pool, Certificates: certificates})
	}
	login := func(mechanism sasl.Mechanism) []kgo.Opt { return []kgo.Opt{trusting(), kgo.SASL(mechanism)} }
	right, wrong := scram.Auth{User: "alice", Pass: "al-ice.1"}, scram.Auth{User: "alice", Pass: "bob"}
	for name, test := range map[string]struct {
		brokers []string
		options []kgo.Opt
		ok      bool
	}{
		"certificate":          {c.TLSBrokers(), []kgo.Opt{trusting(ca.client())}, true},
		"stranger's":           {c.TLSBrokers(), []kgo.Opt{trusting(stranger.client())}, false},
		"no certificate":       {c.TLSBrokers(), []kgo.Opt{trusting()}, false},
		"server not trusted":   {c.TLSBrokers(), []kgo.Opt{kgo.DialTLSConfig(&tls.Config{RootCAs: stranger.pool})}, false},
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
	ca := newAuthority(t)
	c := start(t, privatekafka.Options{TLS: ca.server()})
	if err := ping(t, c.TLSBrokers(), kgo.DialTLSConfig(&tls.Config{RootCAs: ca.pool})); err != nil {
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
