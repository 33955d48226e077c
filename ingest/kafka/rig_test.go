package kafka_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"logflume/analyze"
	"logflume/ingest/kafka"
	"logflume/internal/testkit"
	"logflume/parse"
	"logflume/pipeline"
	"logflume/schema"
	"logflume/sink/postgres"
)

func TestMain(m *testing.M) { testkit.Main(m, goleak.IgnoreCurrent()) }

// A rig is a topic, a database, and processes that read the one into the other with all that is between them.
type rig struct {
	*testing.T
	brokers []string
	db      testkit.DB
	conn    *pgx.Conn
	client  *kgo.Client // of whoever makes and changes topics, and writes
	admin   *kadm.Client
	topic   string
	o       kafka.Options
	log     *logBuffer

	deadBytes int64 // that a source's dead letters may take; 0 is no limit

	members []*process
}

// A process is a running pipeline.
type process struct {
	source *kafka.Source
	stats  *pipeline.Stats
	stop   context.CancelFunc
	ended  chan error
}

// newRig makes a topic with so many partitions on the broker that tests share.
func newRig(t *testing.T, partitions int) *rig {
	t.Helper()
	t.Parallel()
	r := rigOn(t, testkit.Kafka(t))
	r.makeTopic(partitions)
	return r
}

func rigOn(t *testing.T, brokers []string, options ...kgo.Opt) *rig {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(100 * time.Millisecond),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	r := &rig{
		T: t, brokers: brokers, db: testkit.Postgres(t), client: client, admin: kadm.NewClient(client),
		topic: "logs-" + strings.ToLower(rand.Text()[:10]), log: &logBuffer{},
	}
	if _, _, err := schema.Migrate(t.Context(), r.db.URL, r.db.Schema); err != nil {
		t.Fatal(err)
	}
	r.conn = r.db.Connect(t)
	r.o = kafka.Options{
		Brokers: brokers, Topics: []string{r.topic}, Group: "group-" + r.topic, Session: time.Second,
		Positions: r.db.Schema + ".log_positions",
		Log:       slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	t.Cleanup(func() {
		for len(r.members) > 0 {
			r.end(r.members[0])
		}
		if t.Failed() || os.Getenv("SHOW") != "" {
			t.Log(r.log.String())
		}
	})
	return r
}

func (r *rig) makeTopic(partitions int) {
	r.Helper()
	r.makeTopicWith(partitions, nil)
}

func (r *rig) makeTopicWith(partitions int, settings map[string]*string) {
	r.Helper()
	made, err := r.admin.CreateTopic(r.Context(), int32(partitions), 1, settings, r.topic)
	if err == nil {
		err = made.Err
	}
	if err != nil {
		r.Fatal(err)
	}
}

// begin starts a process.
func (r *rig) begin() *process {
	r.Helper()
	source, err := kafka.New(r.o)
	if err != nil {
		r.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &process{source: source, stats: &pipeline.Stats{}, stop: stop, ended: make(chan error, 1)}
	stages, err := parse.New(parse.Options{Stats: p.stats})
	if err != nil {
		r.Fatal(err)
	}
	windows := analyze.Options{Window: time.Minute, SlowRequest: time.Second}
	sink, err := postgres.New(postgres.Options{
		URL: r.db.URL, Schema: r.db.Schema, Instance: rand.Text(), Host: "test", Version: "test",
		DeadBytes: r.deadBytes, FlushRows: 5000, FlushBytes: 4 << 20, FlushInterval: 20 * time.Millisecond,
		NewAggregate: func() pipeline.Aggregate { return analyze.NewAggregate(windows) },
		Calendar:     pipeline.NewCalendar(100, time.Now), Stats: p.stats, Log: r.o.Log,
	})
	if err != nil {
		r.Fatal(err)
	}
	in := pipeline.NewIntake(sink.Checkpoints(), pipeline.NewBudget(32<<20), p.stats, 8)
	analysis := analyze.New(windows)
	go func() {
		err := pipeline.Run(ctx, pipeline.Pipeline{
			Sources: []pipeline.Source{source}, Intake: in, Workers: 2, Grace: time.Minute, Sink: sink,
			Stages: func() []pipeline.Processor { return []pipeline.Processor{stages(), analysis(), postgres.Encoder{}} },
		})
		sink.Close()
		p.ended <- err
	}()
	r.members = append(r.members, p)
	return p
}

// end ends a process as SIGTERM does.
func (r *rig) end(p *process) {
	r.Helper()
	p.stop()
	if err := <-p.ended; err != nil {
		r.Error("the pipeline ended with", err)
	}
	for i, m := range r.members {
		if m == p {
			r.members = append(r.members[:i], r.members[i+1:]...)
			return
		}
	}
}

// produce writes values to a partition and waits until they are there.
func (r *rig) produce(partition int, values ...string) {
	r.Helper()
	records := make([]*kgo.Record, len(values))
	for i, v := range values {
		records[i] = &kgo.Record{Topic: r.topic, Partition: int32(partition), Value: []byte(v)}
	}
	r.produceRecords(records...)
}

func (r *rig) produceRecords(records ...*kgo.Record) {
	r.Helper()
	for _, rec := range records {
		rec.Topic = r.topic
	}
	if err := r.client.ProduceSync(r.Context(), records...).FirstErr(); err != nil {
		r.Fatal(err)
	}
}

// numbered returns the JSON lines n to m.
func numbered(n, m int) []string {
	var lines []string
	for ; n <= m; n++ {
		lines = append(lines, fmt.Sprintf(`{"level":"info","msg":"line %d","n":%d}`, n, n))
	}
	return lines
}

// ask returns the single value of a query, in which @ stands for the schema.
func ask[T any](r *rig, query string, args ...any) (v T) {
	r.Helper()
	if err := r.conn.QueryRow(r.Context(), strings.ReplaceAll(query, "@", r.db.Schema+"."), args...).Scan(&v); err != nil {
		r.Fatalf("%s: %v", query, err)
	}
	return v
}

// events returns how many rows there are.
func (r *rig) events() int {
	r.Helper()
	return ask[int](r, "SELECT count(*) FROM @log_events")
}

// wait waits until there are n rows, and checks that the numbers 1 to n are there once each.
func (r *rig) wait(n int) {
	r.Helper()
	testkit.Eventually(r, fmt.Sprintf("%d events are stored", n), func() bool { return r.events() >= n })
	r.once(n)
}

// once checks that the numbers 1 to n are stored once each, that nothing else is, and that the ledger says so.
func (r *rig) once(n int) {
	r.Helper()
	distinct := ask[int](r, "SELECT count(DISTINCT (attrs->>'n')::int) FROM @log_events WHERE (attrs->>'n')::int BETWEEN 1 AND $1", n)
	if rows := r.events(); rows != n || distinct != n {
		r.Errorf("%d rows with %d distinct numbers, want %d", rows, distinct, n)
	}
	if lines := ask[int](r, "SELECT coalesce(sum(lines) FILTER (WHERE lines = kept), 0) FROM @log_positions"); lines != n {
		r.Errorf("%d lines in the ledger, want %d", lines, n)
	}
}

// A logBuffer collects what is logged.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
