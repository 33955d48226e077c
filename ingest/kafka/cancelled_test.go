package kafka

import (
	"context"
	"sync"
	"testing"
	"time"

	"logflume/pipeline"
)

// A cancelledSource takes the same piece again and again, each time as a new reading that has just been told to stop.
type cancelledSource struct{ piece []byte }

func (s cancelledSource) Run(_ context.Context, in *pipeline.Intake) error {
	over, stop := context.WithCancel(context.Background())
	stop()
	m := &member{Source: &Source{options: Options{LineLimit: DefaultLineLimit}}, in: in}
	p := &partition{g: &generation{member: m}}
	for range 1000 {
		r := newReading(p, pipeline.Checkpoint{}, notes{}, nil)
		_ = r.takePiece(over, piece{reading: r, data: s.piece})
	}
	return nil
}

// A passingSink notes batches that pass over messages.
type passingSink struct {
	mu    sync.Mutex
	taken int
	wrong []int64 // how many messages are not in a batch that says so
}

func (s *passingSink) Run(_ context.Context, in <-chan *pipeline.Batch) error {
	for b := range in {
		<-b.Done()
		s.mu.Lock()
		s.taken++
		if missing := b.To - b.From - int64(len(b.Lines)); missing != 0 {
			s.wrong = append(s.wrong, missing)
		}
		s.mu.Unlock()
		b.Release()
	}
	return nil
}

// When a generation ends in the middle of a piece, some batches can still be sent and others cannot. None may say that it
// reaches past messages of a batch which was not sent.
func TestEndInTheMiddleOfAPiecePassesNothing(t *testing.T) {
	records := make([]record, 1000)
	for i := range records {
		records[i].value = `{"msg":"` + string(make([]byte, 300)) + `"}`
	}
	sink := &passingSink{}
	err := pipeline.Run(t.Context(), pipeline.Pipeline{
		Sources: []pipeline.Source{cancelledSource{encoded(t, 0, records)}},
		Intake:  pipeline.NewIntake(nil, pipeline.NewBudget(256<<10), &pipeline.Stats{}, 4),
		Workers: 1, Grace: time.Minute, Sink: sink,
		Stages: func() []pipeline.Processor { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if sink.taken == 0 || len(sink.wrong) > 0 {
		t.Errorf("of %d batches %d pass over messages: %v", sink.taken, len(sink.wrong), sink.wrong[:min(10, len(sink.wrong))])
	}
}
