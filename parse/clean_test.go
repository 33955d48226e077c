package parse

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
)

// What has no column stays byte for byte, unless the line had to be changed; nothing that was not in the line appears.
func TestAttrsAreTheLinesOwnBytes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	p, stats := newParser(t, Options{})
	compared := 0
	for range 40_000 {
		line := mutate(random, seeds[random.IntN(len(seeds))])
		if !json.Valid([]byte(line)) {
			continue
		}
		before := stats.Sanitised.Load()
		b := batchOf(line)
		p.Process(b)
		if len(b.Events) != 1 || stats.Sanitised.Load() > before {
			continue
		}
		var in, out map[string]json.RawMessage
		if json.Unmarshal([]byte(line), &in) != nil {
			continue // a text line that is a JSON scalar
		}
		if attrs := b.Events[0].Attrs; attrs != nil {
			if err := json.Unmarshal(attrs, &out); err != nil {
				t.Fatalf("%q: attrs %q: %v", line, attrs, err)
			}
		}
		for key, value := range in {
			known := standardNames.find([]byte(key), hash([]byte(key))).field != unknown
			if got, ok := out[key]; ok && string(got) != string(value) || !ok && !known {
				t.Fatalf("%q: %q is %q in attrs", line, key, got)
			}
		}
		for key := range out {
			if _, ok := in[key]; !ok && key != "_ts" {
				t.Fatalf("%q: attrs have %q", line, key)
			}
		}
		compared++
	}
	if compared < 1000 {
		t.Errorf("only %d lines compared", compared)
	}
}
