package postgres

import (
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

// The encoder's columns are the table's: names, order and types.
func TestColumnsAreTheTables(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	types := map[string]string{
		"timestamp": "timestamptz", "pattern_id": "int8", "source_offset": "int8", "response_time": "float4",
		"source_id": "int4", "status": "int2", "slow": "bool", "client_ip": "inet", "attrs": "jsonb",
	}
	var want []string
	for _, c := range eventColumns {
		kind, ok := types[c]
		if !ok {
			kind = "text"
		}
		want = append(want, c+" "+kind)
	}
	got := ask[[]string](r, `SELECT array_agg(column_name || ' ' || udt_name ORDER BY ordinal_position)
		FROM information_schema.columns WHERE table_schema = $1 AND table_name = 'log_events'`, r.db.Schema)
	if !slices.Equal(got, want) {
		t.Errorf("table has\n%s\nencoder writes\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// full is an event with a value in every column.
func full() pipeline.Event {
	return pipeline.Event{
		Time: 1_767_225_600_123_456, Offset: math.MaxInt64, PatternID: math.MinInt64, ResponseTime: 1234.5,
		ClientIP: netip.MustParseAddr("192.0.2.7"), Status: 503, Slow: true,
		Level: "ERROR", Service: "svc", Hostname: "host", Logger: "log", Endpoint: "/a/{n}", Method: "GET",
		Message: "größe ✓ \t\\.", Exception: "a\nb", TraceID: "t", UserID: "u", TenantID: "n",
		Location: "Internal Network", Browser: "curl",
		Attrs: []byte(`{"k": [1, {"a": "ü"}]}`), Extra: `"zone":"x","k2":1`,
	}
}

// row is what Postgres has of an event.
type row struct {
	Timestamp  int64
	PatternID  *int64
	Offset     int64
	Response   *float32
	Source     int32
	Status     *int16
	Slow       bool
	Texts      []*string
	ClientIP   *string
	AttrsMatch bool
}

func TestEveryValueComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	position, err := s.Checkpoints().Create(t.Context(), "k", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := func(s string) *string { return &s }
	none := make([]*string, 13)
	all := []*string{
		p("ERROR"), p("svc"), p("host"), p("log"), p("/a/{n}"), p("GET"), p("größe ✓ \t\\."), p("a\nb"), p("t"), p("u"),
		p("n"), p("Internal Network"), p("curl"),
	}

	minimum, pattern, status := int64(math.MinInt64), int64(-1), int16(503)
	real := float32(1234.5)
	largest, low := float32(math.MaxFloat32), int16(math.MinInt16)
	with := func(change func(*pipeline.Event)) pipeline.Event {
		e := pipeline.Event{Time: 1_767_225_600_000_000, ResponseTime: math.NaN()}
		change(&e)
		return e
	}
	const noon = 1_767_225_600_000_000
	cases := []struct {
		name  string
		event pipeline.Event
		attrs string
		want  row
	}{
		{"full", full(), `{"k":[1,{"a":"ü"}],"zone":"x","k2":1}`, row{
			Timestamp: 1_767_225_600_123_456, PatternID: &minimum, Offset: math.MaxInt64, Response: &real, Status: &status,
			Slow: true, Texts: all, ClientIP: p("192.0.2.7/32"),
		}},
		{"empty", with(func(*pipeline.Event) {}), `{}`, row{Timestamp: noon, Texts: none}},
		{"IPv6", with(func(e *pipeline.Event) { e.ClientIP = netip.MustParseAddr("2001:db8::1%eth0") }), `{}`,
			row{Timestamp: noon, Texts: none, ClientIP: p("2001:db8::1/128")}},
		{"mapped IPv4", with(func(e *pipeline.Event) { e.ClientIP = netip.MustParseAddr("::ffff:192.0.2.1") }), `{}`,
			row{Timestamp: noon, Texts: none, ClientIP: p("::ffff:192.0.2.1/128")}},
		{"largest real", with(func(e *pipeline.Event) { e.ResponseTime = math.MaxFloat32 }), `{}`,
			row{Timestamp: noon, Texts: none, Response: &largest}},
		{"beyond real", with(func(e *pipeline.Event) { e.ResponseTime = 1e39 }), `{}`, row{Timestamp: noon, Texts: none}},
		{"infinite", with(func(e *pipeline.Event) { e.ResponseTime = math.Inf(-1) }), `{}`, row{Timestamp: noon, Texts: none}},
		{"negative", with(func(e *pipeline.Event) { e.PatternID, e.Status, e.Offset = -1, math.MinInt16, math.MinInt64 }), `{}`,
			row{Timestamp: noon, Texts: none, PatternID: &pattern, Status: &low, Offset: math.MinInt64}},
		{"members of nothing", with(func(e *pipeline.Event) { e.Extra = `"a":1` }), `{"a":1}`, row{Timestamp: noon, Texts: none}},
		{"members of empty", with(func(e *pipeline.Event) { e.Attrs, e.Extra = []byte("{ }\n"), `"a":1` }), `{"a":1}`,
			row{Timestamp: noon, Texts: none}},
		{"member again", with(func(e *pipeline.Event) { e.Attrs, e.Extra = []byte(`{"a":1} `), `"a":2` }), `{"a":2}`,
			row{Timestamp: noon, Texts: none}},
		{"first day", with(func(e *pipeline.Event) { e.Time = postgresEpoch }), `{}`, row{Timestamp: postgresEpoch, Texts: none}},
		{"last microsecond", with(func(e *pipeline.Event) { e.Time = postgresEpoch - 1 + 86_400_000_000 }), `{}`,
			row{Timestamp: postgresEpoch - 1 + 86_400_000_000, Texts: none}},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := &pipeline.Batch{
				Stream: pipeline.NewStream(position), From: int64(i), To: int64(i) + 1, Events: []pipeline.Event{c.event},
			}
			Encoder{}.Process(b)
			if want := []int32{pipeline.Day(c.event.Time)}; !slices.Equal(b.Days, want) {
				t.Fatalf("days %v, want %v", b.Days, want)
			}
			r.exec("TRUNCATE @log_events")
			w := &client{config: s.writer.config, limits: defaultLimits}
			if err := w.connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer w.close()
			if err := s.partitions.ensure(t.Context(), w, b.Days); err != nil {
				t.Fatal(err)
			}
			if err := w.copyIn(t.Context(), s.sql.copyEvents, [][]byte{b.Rows}); err != nil {
				t.Fatal(err)
			}
			rows, err := r.conn.Query(t.Context(), r.in(`SELECT (extract(epoch FROM timestamp) * 1000000)::bigint, pattern_id,
				source_offset, response_time, source_id, status, slow,
				ARRAY[level, service, hostname, logger, endpoint, method, message, exception, trace_id, user_id, tenant_id,
					location, browser], host(client_ip) || '/' || masklen(client_ip), attrs = $1::jsonb
				FROM @log_events`), c.attrs)
			if err != nil {
				t.Fatal(err)
			}
			got, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[row])
			if err != nil {
				t.Fatal(err)
			}
			c.want.Source, c.want.AttrsMatch = position.ID, true
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %s\nwant %s", show(got), show(c.want))
			}
		})
	}
}

func show(r row) string {
	var text strings.Builder
	for i := range reflect.ValueOf(r).NumField() {
		f := reflect.ValueOf(r).Field(i)
		if f.Kind() == reflect.Pointer && !f.IsNil() {
			f = f.Elem()
		}
		fmt.Fprintf(&text, "%v ", f.Interface())
	}
	return text.String()
}

func TestEncoderSkipsWhatIsNotKept(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour.Microseconds()
	var events []pipeline.Event
	for _, e := range []struct {
		fate pipeline.Fate
		day  int64
	}{{pipeline.Keep, 3}, {pipeline.Drop, 7}, {pipeline.Keep, 4}, {pipeline.Refuse, 8}, {pipeline.Keep, 3}, {pipeline.Rejected, 9}, {pipeline.Keep, 4}} {
		events = append(events, pipeline.Event{Fate: e.fate, Time: e.day * day})
	}
	b := &pipeline.Batch{Stream: pipeline.NewStream(pipeline.Checkpoint{ID: 1}), Events: events}
	Encoder{}.Process(b)
	slices.Sort(b.Days)
	if len(b.RowEnds) != 4 || b.RowEnds[3] != len(b.Rows) || !slices.Equal(b.Days, []int32{3, 4}) {
		t.Errorf("%d rows, ends %v of %d, days %v", len(b.RowEnds), b.RowEnds, len(b.Rows), b.Days)
	}
}

func TestEncoderAllocatesNothing(t *testing.T) {
	b := &pipeline.Batch{Stream: pipeline.NewStream(pipeline.Checkpoint{ID: 1})}
	for range 100 {
		b.Events = append(b.Events, full())
	}
	encoder := Encoder{}
	encoder.Process(b)
	if n := testing.AllocsPerRun(10, func() { encoder.Process(b) }); n != 0 {
		t.Errorf("%v allocations for a batch whose memory is there", n)
	}
}

func BenchmarkEncoder(b *testing.B) {
	batch := typical(1000)
	encoder := Encoder{}
	encoder.Process(batch)
	rows := len(batch.RowEnds)
	b.SetBytes(int64(len(batch.Rows)))
	b.ReportAllocs()
	for b.Loop() {
		encoder.Process(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
	b.ReportMetric(float64(len(batch.Rows))/float64(rows), "B/row")
}

// typical returns a batch of events as services write them: about 500 bytes a row.
func typical(n int) *pipeline.Batch {
	b := &pipeline.Batch{Stream: pipeline.NewStream(pipeline.Checkpoint{ID: 1}), To: int64(n), Bytes: int64(n)}
	for i := range n {
		e := full()
		e.Time, e.Offset, e.PatternID = today+int64(i)*1000, int64(i), 0
		e.Level, e.Exception, e.Message = "INFO", "", "request completed in 12 ms with status 200"
		e.TraceID = fmt.Sprintf("%032x", i/4)
		e.Attrs = []byte(`{"module":"handlers","function":"get_user","line":42,"user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36","region":"eu-central-1","request_id":"6f1ed002ab5595859014ebf0951522d9","cache":"miss"}`)
		e.Line = int32(i)
		b.Events = append(b.Events, e)
		b.Lines = append(b.Lines, pipeline.Line{Offset: int64(i)})
	}
	return b
}
