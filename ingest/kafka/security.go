package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// TLSFiles names what encrypted connections need, as paths of PEM files.
type TLSFiles struct {
	CA         string // authorities to trust; "" means the system's
	Cert, Key  string // our own certificate; "" means none
	ServerName string // what the brokers' certificates must say; "" means the host of each address
}

// NewTLS reads the files. The brokers' certificates are verified, always. An error begins with the key of the configuration
// that it is about.
func NewTLS(f TLSFiles) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName}
	if f.CA != "" {
		pem, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca: %s has no certificate in PEM form", f.CA)
		}
	}
	if f.Cert != "" || f.Key != "" {
		own, err := keyPair(f.Cert, f.Key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c, nil
}

// keyPair reads our own certificate and its key.
func keyPair(certPath, keyPath string) (pair tls.Certificate, err error) {
	cert, err := os.ReadFile(certPath)
	if err != nil {
		return pair, fmt.Errorf("cert: %w", err)
	}
	key, err := os.ReadFile(keyPath)
	if err != nil {
		return pair, fmt.Errorf("key: %w", err)
	}
	if pair, err = tls.X509KeyPair(cert, key); err != nil {
		return pair, fmt.Errorf("cert: %s and %s are no certificate and its key: %w", certPath, keyPath, err)
	}
	return pair, nil
}

// Mechanisms are the ways of [NewSASL] to log in.
var Mechanisms = []string{Plain, SCRAMSHA256, SCRAMSHA512}

// Ways to log in.
const (
	Plain       = "PLAIN" // RFC 4616
	SCRAMSHA256 = "SCRAM-SHA-256"
	SCRAMSHA512 = "SCRAM-SHA-512" // RFC 5802
)

// NewSASL returns a login.
func NewSASL(mechanism, user, password string) (sasl.Mechanism, error) {
	switch mechanism {
	case Plain:
		return plain.Mechanism{Username: user, Password: password}, nil
	case SCRAMSHA256:
		return scramOf(scram.SHA256, user, password)
	case SCRAMSHA512:
		return scramOf(scram.SHA512, user, password)
	}
	return nil, fmt.Errorf("mechanism %q is not known", mechanism)
}

func scramOf(hash scram.Algorithm, user, password string) (sasl.Mechanism, error) {
	m, err := scram.Mechanism(hash, user, password)
	if err != nil { // its text may have the password in it
		return nil, errors.New("user or password has characters that SCRAM does not allow (RFC 4013)")
	}
	return m, nil
}
