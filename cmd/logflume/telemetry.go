package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// A telemetry is the listener for /healthz, /readyz and /metrics.
type telemetry struct {
	Address string // where it listens: the port is never 0

	server  *http.Server
	metrics *metrics
	served  chan struct{}
}

// startTelemetry listens on address. The caller ends it with close.
func startTelemetry(address string, h *health, list []instrument, log *slog.Logger) (*telemetry, error) {
	m, err := newMetrics(list)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for telemetry (telemetry.listen): %w", err), m.close(context.Background()))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", h.healthz)
	mux.HandleFunc("GET /readyz", h.readyz)
	mux.Handle("GET /metrics", m.handler)
	t := &telemetry{
		Address: listener.Addr().String(),
		server: &http.Server{
			Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
		metrics: m,
		served:  make(chan struct{}),
	}
	go func() {
		defer close(t.served)
		if err := t.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("telemetry listener ended", "address", t.Address, "error", err)
		}
	}()
	log.Info("telemetry listens", "address", t.Address)
	return t, nil
}

// close stops listening and waits for requests that are being answered, briefly.
func (t *telemetry) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := errors.Join(t.server.Shutdown(ctx), t.metrics.close(ctx))
	<-t.served
	return err
}

// reachable says what it means that other machines can reach the listener.
const reachable = "other machines can reach the listener, and it asks nobody who they are: it shows file names, topics, errors of the " +
	"database and counts, so let a firewall or a proxy choose who may"

// isReachable reports whether other machines can reach what listens on address.
func isReachable(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && !isLocal(host)
}

// ownAddress returns where this machine reaches what listens on address, which may stand for all addresses.
func ownAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip, parseErr := netip.ParseAddr(host); err != nil || parseErr != nil || !ip.IsUnspecified() {
		return address
	} else if ip.Is4() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return net.JoinHostPort("::1", port)
}
