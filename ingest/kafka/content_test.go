package kafka_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"logflume/internal/testkit"
)

func TestUnpacksAllCodecs(t *testing.T) {
	for name, codec := range map[string]kgo.CompressionCodec{
		"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rigOn(t, testkit.Kafka(t), kgo.ProducerBatchCompression(codec))
			r.makeTopic(1)
			r.produce(0, numbered(1, 20_000)...) // several batches, each of many times the memory of a block
			r.begin()
			r.wait(20_000)
		})
	}
}

// What the messages bring beside their values.
func TestKeepsWhatComesWithAMessage(t *testing.T) {
	r := newRig(t, 1)
	r.o.Attrs = true
	sent := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	r.produceRecords(
		&kgo.Record{Value: []byte(`{"msg":"own","trace_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","time":"2026-11-26T10:00:00Z"}`), Timestamp: sent,
			Key: []byte("k\x00\"1"), Headers: []kgo.RecordHeader{
				header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), header("x", "\x01\xffé"), header("empty", "")}},
		&kgo.Record{Value: []byte("plain text"), Timestamp: sent, Key: []byte{0xff, 0}, Headers: []kgo.RecordHeader{
			header("TraceParent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")}},
		&kgo.Record{Value: []byte(`[{"msg":"one"},{"msg":"two"}]` + "\r\n"), Timestamp: sent, Headers: []kgo.RecordHeader{
			header("traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01")}},
	)
	r.begin()
	testkit.Eventually(t, "4 events are stored", func() bool { return r.events() == 4 })
	row := func(message, column string) string {
		return ask[string](r, "SELECT coalesce(("+column+")::text, '-') FROM @log_events WHERE message = $1", message)
	}
	at := "extract(epoch FROM timestamp) = " + "extract(epoch FROM '" + sent.UTC().Format("2006-01-02T15:04:05.000Z") + "'::timestamptz)"
	for _, c := range []struct{ message, column, want string }{
		{"own", "trace_id", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
		{"own", "timestamp = '2026-11-26T10:00:00Z'", "true"},
		{"own", "attrs->'kafka'->>'key'", "k\uFFFD\"1"},
		{"own", "attrs->'kafka'->'headers'->>'x'", "\x01\uFFFDé"},
		{"own", "attrs->'kafka'->'headers'->>'empty'", ""},
		{"own", "attrs->'kafka'->>'offset'", "0"},
		{"own", "attrs->'kafka'->>'partition'", "0"},
		{"own", "attrs->'kafka'->>'topic'", r.topic},
		{"plain text", "trace_id", "0af7651916cd43dd8448eb211c80319c"},
		{"plain text", at, "true"},
		{"plain text", "attrs->'kafka'->>'key_base64'", "/wA="},
		{"plain text", "attrs->'kafka'->>'key'", "-"},
		{"one", "trace_id", "-"},
		{"two", at, "true"},
		{"two", "source_offset", "2"},
		{"two", "attrs->'kafka'->>'key'", "-"},
	} {
		if got := row(c.message, c.column); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.message, c.column, got, c.want)
		}
	}
}

func TestAccountsForEveryMessage(t *testing.T) {
	r := newRig(t, 1)
	r.o.LineLimit = 4 << 10
	pretty := "{\n  \"msg\": \"pretty\"\n}\n"
	long := `{"msg":"` + strings.Repeat("x", 100<<10) + `"}`
	r.produceRecords(
		&kgo.Record{Key: []byte("tombstone")},
		&kgo.Record{Value: []byte{}},
		&kgo.Record{Value: []byte(" \r\n")},
		&kgo.Record{Value: []byte(`{"msg":"cut`)},
		&kgo.Record{Value: []byte("a\x00b")},
		&kgo.Record{Value: []byte(long)},
		&kgo.Record{Value: []byte(`{"msg":"good"}`)},
		&kgo.Record{Value: []byte(`[]`)},
		&kgo.Record{Key: []byte("a key"), Value: []byte(pretty)},
	)
	r.begin()
	testkit.Eventually(t, "all is committed", func() bool { return ask[int](r, "SELECT coalesce(sum(position), 0) FROM @log_positions") == 9 })
	if got, want := ask[string](r, "SELECT concat_ws(' ', lines, kept, filtered, dead, events, analysed, lost_messages) FROM @log_positions"), "9 2 4 3 2 2 0"; got != want {
		t.Errorf("ledger %q, want %q", got, want)
	}
	if got, want := ask[int](r, "SELECT bytes FROM @log_positions"), 9+0+3+11+3+len(long)+14+2+5+len(pretty); got != want {
		t.Errorf("%d bytes in the ledger, want %d", got, want)
	}
	if got, want := ask[string](r, "SELECT string_agg(concat_ws(' ', source_offset, length, truncated, octet_length(raw)), ', ' ORDER BY source_offset) FROM @log_dead_letters"),
		"3 11 f 11, 4 3 f 3, 5 102410 t 4096"; got != want {
		t.Errorf("dead letters %q, want %q", got, want)
	}
}
