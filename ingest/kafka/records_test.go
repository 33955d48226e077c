package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"time"

	"github.com/segmentio/kafka-go/protocol"

	"logflume/pipeline"
)

// A record is what was written, or read.
type record struct {
	key, value, headers string
	millis              int64
}

// encoded lets the library write records as batches.
func encoded(t testing.TB, attributes protocol.Attributes, records []record) []byte {
	t.Helper()
	list := make([]protocol.Record, len(records))
	for i, r := range records {
		list[i] = protocol.Record{Time: time.UnixMilli(r.millis)}
		if r.key != "nil" {
			list[i].Key = protocol.NewBytes([]byte(r.key))
		}
		if r.value != "nil" {
			list[i].Value = protocol.NewBytes([]byte(r.value))
		}
		if r.headers != "" {
			list[i].Headers = []protocol.Header{{Key: "x", Value: []byte(r.headers)}, {Key: "y"}}
		}
	}
	var out bytes.Buffer
	set := protocol.RecordSet{Version: 2, Attributes: attributes, Records: protocol.NewRecordReader(list...)}
	if _, err := set.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()[4:] // without its size
}

// decode reads a batch into a pipeline's batch as a reading does.
func decode(b *recordBatch, in *records, o *Options) (*pipeline.Batch, error) {
	out := &pipeline.Batch{}
	m := &message{topic: "logs"}
	for range b.count {
		length := in.varint()
		start := in.read
		in.skip(1)
		m.time = (b.baseTime + in.varint()) * 1000
		m.offset = b.base + in.varint()
		m.read(in, out, o)
		if in.err == nil && in.read-start != length {
			in.err = errDamaged
		}
		if in.err != nil {
			m.undo(out)
			return out, in.err
		}
	}
	return out, nil
}

// A chunked reader gives what it has in small pieces.
func chunked(payload []byte) *records {
	return &records{buf: make([]byte, 7), src: iotest.OneByteReader(bytes.NewReader(payload))}
}

// What the library wrote is read back, from memory and from a stream, whatever the seed makes of it.
func TestRecordsAsTheLibraryWritesThem(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	word := func(most int) string {
		switch n := random.IntN(most); n {
		case 0:
			return "nil"
		case 1:
			return ""
		default:
			return string(bytes.Repeat([]byte{'a' + byte(n%26)}, n))
		}
	}
	for range 200 {
		want := make([]record, 1+random.IntN(20))
		for i := range want {
			want[i] = record{key: word(200), value: word(3000), millis: 1_700_000_000_000 + random.Int64N(1_000_000)}
			if random.IntN(2) == 0 {
				want[i].headers = "h" + word(50)
			}
		}
		b, rest, ok, err := nextBatch(encoded(t, 0, want))
		if err != nil || !ok || len(rest) > 0 || !b.intact() || b.count != len(want) || b.last != int64(len(want)-1) {
			t.Fatalf("batch %+v, rest %d, ok %v, %v", b, len(rest), ok, err)
		}
		for _, in := range []*records{{buf: b.payload, end: len(b.payload)}, chunked(b.payload)} {
			out, err := decode(&b, in, &Options{LineLimit: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			size := int64(0)
			for i, w := range want {
				value := w.value
				if value == "nil" {
					value = ""
				}
				if got := string(out.Raw(i)); got != value || out.Lines[i].Offset != int64(i) || out.Envelopes[i].Time != w.millis*1000 {
					t.Fatalf("record %d: %q, want %q; %+v %+v", i, got, value, out.Lines[i], out.Envelopes[i])
				}
				if size += int64(len(value)); w.key != "nil" {
					size += int64(len(w.key))
				}
			}
			if out.Bytes != size {
				t.Fatalf("%d bytes, want %d", out.Bytes, size)
			}
		}
	}
}

func TestLongValueKeepsItsHead(t *testing.T) {
	t.Parallel()
	value := string(bytes.Repeat([]byte("0123456789"), 20_000))
	b, _, _, err := nextBatch(encoded(t, 0, []record{{value: value}, {value: "next"}}))
	if err != nil {
		t.Fatal(err)
	}
	out, err := decode(&b, chunked(b.payload), &Options{LineLimit: 1000})
	if err != nil || string(out.Raw(0)) != value[:1000] || !out.Lines[0].TooLong() || out.Lines[0].Length != int64(len(value)) {
		t.Errorf("%v: %d bytes of %d", err, len(out.Raw(0)), out.Lines[0].Length)
	}
	if string(out.Raw(1)) != "next" || out.Lines[1].TooLong() {
		t.Errorf("then %q", out.Raw(1))
	}
}

func TestBatchesThatAreCutOff(t *testing.T) {
	t.Parallel()
	data := encoded(t, 0, []record{{value: "one"}, {value: "two"}})
	for n := range data {
		if _, _, ok, err := nextBatch(data[:n]); ok || err != nil {
			t.Fatalf("of %d bytes %d were a batch: %v", len(data), n, err)
		}
	}
	two := append(bytes.Clone(data), data...)
	if next, err := after(two[:len(two)-1], 0); next != 2 || err != nil {
		t.Errorf("after %d, %v", next, err)
	}
	old := bytes.Clone(data)
	old[16] = 1
	if _, _, _, err := nextBatch(old); err == nil {
		t.Error("message format 1 was taken")
	}
}

// Whatever the bytes are, reading them ends, and from a stream it ends the same way as from memory.
func FuzzRecords(f *testing.F) {
	b, _, _, _ := nextBatch(encoded(f, 0, []record{{key: "k", value: `{"msg":"x"}`, headers: "h"}, {value: "nil"}}))
	f.Add(b.payload, 2)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 1)
	f.Fuzz(func(t *testing.T, payload []byte, count int) {
		b := recordBatch{count: count % 1000, payload: payload}
		o := &Options{LineLimit: 64, Attrs: true}
		whole, err1 := decode(&b, &records{buf: payload, end: len(payload)}, o)
		parts, err2 := decode(&b, chunked(payload), o)
		if !bytes.Equal(whole.Arena, parts.Arena) || len(whole.Lines) != len(parts.Lines) || whole.Bytes != parts.Bytes || (err1 == nil) != (err2 == nil) {
			t.Fatalf("from memory %d lines (%v), from a stream %d (%v)", len(whole.Lines), err1, len(parts.Lines), err2)
		}
	})
}

func FuzzBatches(f *testing.F) {
	f.Add(encoded(f, 0, []record{{value: "one"}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		filter := transactionFilter{aborted: []abortedTransaction{{1, 0}}}
		next, _ := after(data, 0)
		for last := int64(0); ; {
			b, rest, ok, err := nextBatch(data)
			if !ok || err != nil {
				if next < last {
					t.Fatalf("after says %d, the last batch ends at %d", next, last)
				}
				return
			}
			filter.passes(&b)
			last, data = max(last, b.last+1), rest
		}
	})
}

// An answer of whatever bytes ends in values or an error, and takes no more memory than it has bytes.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1}, byte(0))
	f.Fuzz(func(t *testing.T, answer []byte, kind byte) {
		in := &decoder{r: bytes.NewReader(answer), left: len(answer), flexible: kind&1 == 1}
		switch kind % 3 {
		case 0:
			(&layout{topics: map[string]*topicLayout{}}).decode(in, metadataOldest+int16(kind%5))
		case 1:
			got, _ := decodeFetch(in, fetchOldest)
			if len(got) > len(answer) {
				t.Fatalf("%d partitions of %d bytes", len(got), len(answer))
			}
		case 2:
			decodeFetch(in, fetchNewest)
		}
		if in.err == nil && in.left < 0 {
			t.Fatalf("%d bytes are left", in.left)
		}
		if in.err != nil && !errors.Is(in.err, errShort) && !errors.Is(in.err, io.EOF) && !errors.Is(in.err, io.ErrUnexpectedEOF) {
			t.Fatal(in.err)
		}
	})
}

func TestTraceparent(t *testing.T) {
	t.Parallel()
	const id = "0af7651916cd43dd8448eb211c80319c"
	for header, want := range map[string]string{
		"00-" + id + "-b7ad6b7169203331-01":                        id,
		"cc-" + id + "-b7ad6b7169203331-01-more":                   id,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01":  "",
		"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01":  "",
		"00-" + id + "-b7ad6b7169203331":                           "",
		"":                                                         "",
		fmt.Sprintf("00 %s-b7ad6b7169203331-01", id):               "",
		"00-0af7651916cd43dd8448eb211c80319':-b7ad6b7169203331-01": "",
	} {
		if got := string(traceID([]byte(header))); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
