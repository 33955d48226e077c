package file

import (
	"errors"
	"strings"
	"testing"

	"logflume/pipeline"
)

// Between the decision that a file has a stream's bytes and the first read the file may have changed.
func TestChangedBeforeTheFirstRead(t *testing.T) {
	t.Parallel()
	in := pipeline.NewIntake(nil, pipeline.NewBudget(1<<20), &pipeline.Stats{}, 1)
	n := notes{Anchor: markOf([]byte("one\n"))}
	for content, want := range map[string]error{"one\n": nil, "two\nthree\n": errReplaced, "": errReplaced} {
		r := newReading(in, pipeline.Checkpoint{Position: 4}, n, &window{src: strings.NewReader(content)}, nil, framing{limit: 100})
		if err := r.begin(t.Context()); !errors.Is(err, want) {
			t.Errorf("%q: %v", content, err)
		}
	}
}
