package kafka_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"logflume/ingest/kafka"
)

// What is at an address need not be a broker.
func TestCheckSaysWhatIsWrongWithAnAddress(t *testing.T) {
	t.Parallel()
	const late = "(no answer in time: is it a Kafka broker, and does a firewall let its answers through?)"
	for name, test := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"silent":  {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, late},
		"closing": {func(net.Conn) {}, "the broker ended the connection: does it want TLS (tls.enabled) or a login (sasl) on this port?"},
		"a web server": {func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1024))
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
		}, "what answers is no Kafka broker (look at brokers and at the port)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						test.serve(c)
						c.Close()
					}()
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err = kafka.Check(ctx, kafka.Options{Brokers: []string{l.Addr().String()}, Topics: []string{"a"}, Group: "b"})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
