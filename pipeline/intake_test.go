package pipeline

import "testing"

// What a source holds while it waits is what it asked for, whatever the batches before it grew to.
func TestBatchHasWhatWasAskedFor(t *testing.T) {
	in := NewIntake(nil, NewBudget(64<<20), &Stats{}, 1)
	s := NewStream(Checkpoint{})
	for _, size := range []int{256 << 10, 16 << 10, 4 << 10, 0, 256 << 10, 100} {
		b, err := in.Batch(t.Context(), s, size)
		if err != nil {
			t.Fatal(err)
		}
		if has := cap(b.Arena); has < size || has > max(4*size, minBlock) {
			t.Errorf("asked for %d bytes, got %d", size, has)
		}
		if w := b.work(); w.size() != 0 {
			t.Errorf("a batch that nobody works on holds %d bytes for its events", w.size())
		}
		process(in, b, 1000)
		b.Release()
	}
	if used := in.Budget.Used(); used != 0 {
		t.Errorf("%d bytes still charged", used)
	}
}

// Memory that a batch with many events left behind does not stay with batches of few.
func TestWorkspaceFitsItsBatches(t *testing.T) {
	in := NewIntake(nil, NewBudget(64<<20), &Stats{}, 1)
	s := NewStream(Checkpoint{})
	for i, events := range []int{1000, 1, 1} {
		b, err := in.Batch(t.Context(), s, 4<<10)
		if err != nil {
			t.Fatal(err)
		}
		process(in, b, events)
		if i == 2 && cap(b.Events) > 4+minEvents {
			t.Errorf("room for %d events after a batch with one", cap(b.Events))
		}
		b.Release()
	}
}

// process does what a worker does with b.
func process(in *Intake, b *Batch, events int) {
	in.equip(b)
	for range events {
		b.Events = append(b.Events, Event{})
	}
	in.finished(b)
	<-b.Done()
}
