package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelruntime "go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel/attribute"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"logflume/pipeline"
)

// Metrics are read from pipeline.Stats when somebody scrapes, so counting costs the pipeline nothing more.
//
// One rule names them: logflume.<what>, in the plural for things that are counted, with the unit as OpenTelemetry writes
// it. The exporter makes of it logflume_<what>[_bytes][_total]. Labels hold a fixed set of values, never log contents.

// A series is one value of an instrument: the value of its label, and where to read it.
type series struct {
	label string
	read  func() int64
}

// An instrument is one metric with all its series.
type instrument struct {
	name, unit, help string
	counter          bool   // only grows; otherwise a gauge
	label            string // name of the label that tells the series apart; "" when there is one only
	series           []series
}

// instruments lists every metric of ours.
func instruments(s *pipeline.Stats, budget *pipeline.Budget, h *health) []instrument {
	one := func(read func() int64) []series { return []series{{read: read}} }
	return []instrument{
		{"logflume.lines", "{line}", "Lines committed, by what became of them.", true, "class", []series{
			{"kept", s.Kept.Load}, {"filtered", s.Filtered.Load}, {"dead", s.Dead.Load}}},
		{"logflume.events", "{event}", "Rows committed to log_events.", true, "", one(s.Events.Load)},
		{"logflume.committed", "By", "Bytes of input that are committed.", true, "", one(s.Bytes.Load)},
		{"logflume.batches", "{batch}", "Batches read and processed.", true, "", one(s.Batches.Load)},
		{"logflume.flushes", "{transaction}", "Transactions, by their outcome. Failed ones are tried again.", true, "outcome", []series{
			{"committed", s.Flushes.Load}, {"failed", s.FlushErrors.Load}}},
		{"logflume.streams.fenced", "{stream}", "Streams whose position another instance had moved.", true, "", one(s.Fenced.Load)},
		{"logflume.sources.paused", "{source}", "Sources that are stopped now because their dead letters have reached limits.dead_letters.", false, "", one(s.Paused.Load)},
		{"logflume.sessions.terminated", "{session}", "Sessions of frozen writers ended to free a locked position.", true, "", one(s.Terminated.Load)},
		{"logflume.patterns", "{pattern}", "Error patterns seen for the first time anywhere.", true, "", one(s.Patterns.Load)},
		{"logflume.lost", "By", "Bytes cut from files before anybody could read them.", true, "", one(s.LostBytes.Load)},
		{"logflume.lost.messages", "{message}", "Messages gone from topics before they could be read.", true, "", one(s.LostMessages.Load)},
		{"logflume.lines.sanitised", "{line}", "Lines changed to be storable: U+0000, surrogates, invalid UTF-8.", true, "", one(s.Sanitised.Load)},
		{"logflume.events.retimed", "{event}", "Events stored under the time they were received, their own being out of range.", true, "", one(s.Retimed.Load)},
		{"logflume.events.expired", "{event}", "Events older than database.retention.", true, "", one(s.Expired.Load)},
		{"logflume.filter.errors", "{event}", "Events for which a filter expression failed; they count as not matching.", true, "", one(s.FilterErrors.Load)},
		{"logflume.files", "{file}", "Files, by what is done with them: open, of those drained after they left their inputs, waiting for a copy that continues them, held as a copy in progress, unopened for want of descriptors.", false, "state", []series{
			{"open", s.FilesOpen.Load}, {"drained", s.FilesDrained.Load}, {"waiting", s.FilesWaiting.Load}, {"held", s.FilesHeld.Load}, {"unopened", s.FilesUnopened.Load}}},
		{"logflume.files.skipped", "{file}", "Files passed over as plain copies of others.", true, "", one(s.FilesSkipped.Load)},
		{"logflume.files.cut", "{file}", "Deleted files given up after files.deleted_wait before they were read to their end.", true, "", one(s.FilesCut.Load)},
		{"logflume.lag", "By", "Bytes between the committed positions and the ends of open files.", false, "", one(s.Lag.Load)},
		{"logflume.kafka.generations", "{generation}", "Generations of consumer groups that this process was a member of.", true, "", one(s.Generations.Load)},
		{"logflume.kafka.partitions", "{partition}", "Partitions that are assigned to this process, and those of them that cannot be read.", false, "state", []series{
			{"assigned", s.Partitions.Load}, {"stuck", s.PartitionsStuck.Load}}},
		{"logflume.kafka.lag", "{message}", "Messages between the committed positions and the ends of the assigned partitions.", false, "", one(s.LagMessages.Load)},
		{"logflume.kafka.aborted", "{message}", "Messages of aborted transactions, which were passed over.", true, "", one(s.Aborted.Load)},
		{"logflume.memory.used", "By", "Memory of lines in flight.", false, "", one(budget.Used)},
		{"logflume.memory.limit", "By", "limits.memory of the configuration.", false, "", one(budget.Limit)},
		{"logflume.ready", "", "1 where the check of /readyz holds, else 0.", false, "check", h.series()},
	}
}

// A metrics is a meter provider and the handler that Prometheus scrapes. It has no global state.
type metrics struct {
	provider *sdkmetric.MeterProvider
	handler  http.Handler
}

// newMetrics registers all instruments. The caller ends it with close.
func newMetrics(list []instrument) (*metrics, error) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry),
		otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("set up the metrics exporter: %w", err)
	}
	m := &metrics{
		provider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter)),
		handler:  promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
	}
	meter := m.provider.Meter("logflume")
	for _, i := range list {
		if err := i.register(meter); err != nil {
			return nil, fmt.Errorf("register metric %s: %w", i.name, err)
		}
	}
	build := metric.WithAttributes(attribute.String("version", version()), attribute.String("go", runtime.Version()))
	_, err = meter.Int64ObservableGauge("logflume.build.info", metric.WithDescription("1, labelled with what runs."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(1, build)
			return nil
		}))
	if err != nil {
		return nil, fmt.Errorf("register metric logflume.build.info: %w", err)
	}
	if err := otelruntime.Start(otelruntime.WithMeterProvider(m.provider)); err != nil {
		return nil, fmt.Errorf("register metrics of the Go runtime: %w", err)
	}
	return m, nil
}

func (i instrument) register(meter metric.Meter) error {
	options := make([][]metric.ObserveOption, len(i.series))
	for n, s := range i.series {
		if i.label != "" {
			options[n] = []metric.ObserveOption{metric.WithAttributes(attribute.String(i.label, s.label))}
		}
	}
	observe := func(_ context.Context, o metric.Int64Observer) error {
		for n, s := range i.series {
			o.Observe(s.read(), options[n]...)
		}
		return nil
	}
	var err error
	if i.counter {
		_, err = meter.Int64ObservableCounter(i.name, metric.WithUnit(i.unit), metric.WithDescription(i.help),
			metric.WithInt64Callback(observe))
	} else {
		_, err = meter.Int64ObservableGauge(i.name, metric.WithUnit(i.unit), metric.WithDescription(i.help),
			metric.WithInt64Callback(observe))
	}
	return err
}

func (m *metrics) close(ctx context.Context) error { return m.provider.Shutdown(ctx) }
