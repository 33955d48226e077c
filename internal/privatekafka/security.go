package privatekafka

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// TLS says with what nodes encrypt. Everything is in PEM.
type TLS struct {
	Certificate string // of all nodes, for 127.0.0.1, followed by those that lead to its authority, if any
	Key         string // the certificate's, in PKCS #8

	// ClientCAs are the authorities of which clients on the TLS listener must show a certificate; none is asked for when
	// it is empty.
	ClientCAs string
}

// A User may log in with each of the mechanisms PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.
type User struct {
	Name, Password string // of letters, digits and "._-"
}

// plain is what neither the configuration nor the command that makes users takes for something else.
var plain = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// A listener is one of a node's ports.
type listener struct{ name, protocol string }

// The names of listeners. Nodes talk to each other on the first two.
const (
	controllerListener = "CONTROLLER"
	plainListener      = "PLAINTEXT"
	tlsListener        = "TLS"
	saslListener       = "SASL"
)

// listeners returns those that each node has. Clients know all but the first.
func (o *Options) listeners() []listener {
	all := []listener{{controllerListener, "PLAINTEXT"}, {plainListener, "PLAINTEXT"}}
	if o.TLS != nil {
		all = append(all, listener{tlsListener, "SSL"})
	}
	switch {
	case len(o.Users) > 0 && o.TLS != nil:
		all = append(all, listener{saslListener, "SASL_SSL"})
	case len(o.Users) > 0:
		all = append(all, listener{saslListener, "SASL_PLAINTEXT"})
	}
	return all
}

// validate returns what is wrong with the options.
func (o *Options) validate() error {
	if o.Nodes < 0 {
		return fmt.Errorf("start a cluster of %d nodes", o.Nodes)
	}
	if o.TLS != nil && (o.TLS.Certificate == "" || o.TLS.Key == "") {
		return errors.New("TLS needs a certificate and its key")
	}
	for _, user := range o.Users {
		if !plain.MatchString(user.Name) || !plain.MatchString(user.Password) {
			return fmt.Errorf("user %q: name and password must be of letters, digits, dots, hyphens and underscores", user.Name)
		}
	}
	return nil
}

// addSecurity adds what the listeners with encryption and login need.
func (o *Options) addSecurity(settings map[string]string) {
	if o.TLS != nil {
		settings["ssl.keystore.type"] = "PEM"
		settings["ssl.keystore.certificate.chain"] = o.TLS.Certificate
		settings["ssl.keystore.key"] = o.TLS.Key
		if o.TLS.ClientCAs != "" {
			settings["ssl.truststore.type"] = "PEM"
			settings["ssl.truststore.certificates"] = o.TLS.ClientCAs
			settings["listener.name.tls.ssl.client.auth"] = "required"
		}
	}
	if len(o.Users) == 0 {
		return
	}
	settings["sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
	var users strings.Builder
	for _, user := range o.Users {
		fmt.Fprintf(&users, ` user_%s="%s"`, user.Name, user.Password)
	}
	const modules = "org.apache.kafka.common.security."
	settings["listener.name.sasl.plain.sasl.jaas.config"] = modules + "plain.PlainLoginModule required" + users.String() + ";"
	for _, mechanism := range []string{"256", "512"} {
		settings["listener.name.sasl.scram-sha-"+mechanism+".sasl.jaas.config"] = modules + "scram.ScramLoginModule required;"
	}
}

// addUsers returns the arguments with which a node's storage is formatted to know the users. PLAIN has them in the
// configuration instead.
func (o *Options) addUsers() (args []string) {
	for _, user := range o.Users {
		for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, user.Name, user.Password))
		}
	}
	return args
}
