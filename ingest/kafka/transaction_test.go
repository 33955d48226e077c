package kafka_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"logflume/internal/testkit"
)

// A writer is a transactional producer.
type writer struct {
	*rig
	client *kgo.Client
}

func (r *rig) newWriter(name string) writer {
	r.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.TransactionalID(r.topic+name), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(client.Close)
	return writer{r, client}
}

func (w writer) begin() {
	w.Helper()
	if err := w.client.BeginTransaction(); err != nil {
		w.Fatal(err)
	}
}

func (w writer) write(values ...string) {
	w.Helper()
	for _, v := range values {
		if err := w.client.ProduceSync(w.Context(), &kgo.Record{Topic: w.topic, Value: []byte(v)}).FirstErr(); err != nil {
			w.Fatal(err)
		}
	}
}

func (w writer) finish(commit bool) {
	w.Helper()
	if err := w.client.EndTransaction(w.Context(), kgo.TransactionEndTry(commit)); err != nil {
		w.Fatal(err)
	}
}

func TestOnlyCommittedTransactionsAreRead(t *testing.T) {
	r := newRig(t, 1)
	p := r.begin()
	a, b := r.newWriter("a"), r.newWriter("b")
	n := 0
	next := func(k int) []string {
		lines := numbered(n+1, n+k)
		n += k
		return lines
	}
	lost := numbered(1001, 1010)
	for range 5 { // two producers, their batches among each other, one of them in vain
		a.begin()
		b.begin()
		a.write(next(3)...)
		b.write(lost...)
		r.produce(0, next(2)...) // and one without transactions
		a.write(next(3)...)
		b.write(lost...)
		b.finish(false)
		b.begin() // the same producer's next one counts again
		b.write(next(4)...)
		a.finish(true)
		b.finish(true)
	}
	r.wait(n)
	b.begin()
	b.write(lost...)
	b.finish(false)
	testkit.Eventually(t, "the position is past what was aborted", func() bool {
		ends, err := r.admin.ListEndOffsets(t.Context(), r.topic)
		end, _ := ends.Lookup(r.topic, 0)
		return err == nil && end.Offset == ask[int64](r, "SELECT position FROM @log_positions")
	})
	if aborted := p.stats.Aborted.Load(); aborted != 110 {
		t.Errorf("%d aborted messages counted, want 110", aborted)
	}
	a.begin()
	a.write(next(10)...)
	r.produce(0, next(1)...) // behind an open transaction nothing is read
	r.once(n - 11)
	a.finish(true)
	r.wait(n)
}
