package kafka_test

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"logflume/internal/testkit"
)

// deleteBefore has the broker delete what comes before offset, as retention does.
func (r *rig) deleteBefore(partition int32, offset int64) {
	r.Helper()
	var to kadm.Offsets
	to.Add(kadm.Offset{Topic: r.topic, Partition: partition, At: offset})
	if answers, err := r.admin.DeleteRecords(r.Context(), to); err != nil || answers.Error() != nil {
		r.Fatal(err, answers.Error())
	}
}

func TestCountsWhatRetentionDeletedBeforeWeReadIt(t *testing.T) {
	r := newRig(t, 2)
	r.produce(0, numbered(1, 10)...)
	first := r.begin()
	r.wait(10)
	r.end(first)
	r.produce(0, numbered(1001, 1100)...) // nobody reads these
	r.deleteBefore(0, 110)
	r.produce(0, numbered(11, 20)...)
	second := r.begin()
	r.wait(20)
	if got, want := ask[string](r, "SELECT concat_ws(' ', position, lost_messages, lines, meta->'gaps') FROM @log_positions WHERE source_key LIKE '%/0'"),
		"120 100 20 [[10, 110]]"; got != want {
		t.Errorf("position row %q, want %q", got, want)
	}
	if n := second.stats.LostMessages.Load(); n != 100 {
		t.Errorf("%d lost messages in the metric", n)
	}
	if !strings.Contains(r.log.String(), `from=10 to=110 messages=100`) {
		t.Error("the gap is not logged")
	}
	r.end(second)
	r.produce(0, numbered(1001, 1005)...)
	r.deleteBefore(0, 125)
	r.begin()
	testkit.Eventually(t, "the second gap is noted", func() bool {
		return ask[string](r, "SELECT concat_ws(' ', lost_messages, meta->'gaps') FROM @log_positions WHERE source_key LIKE '%/0'") == "105 [[10, 110], [120, 125]]"
	})
	if got := ask[string](r, "SELECT source_ledger.lost_messages::text FROM @source_ledger WHERE source_key LIKE '%/0'"); got != "105" {
		t.Errorf("source_ledger says %s", got)
	}
}

func TestBeginsAtWhatIsLeftWithoutCountingALoss(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, numbered(1001, 1010)...)
	r.deleteBefore(0, 7)
	r.produce(0, numbered(1, 5)...)
	r.begin()
	testkit.Eventually(t, "all is committed", func() bool { return ask[int](r, "SELECT coalesce(sum(position), 0) FROM @log_positions") == 15 })
	if got, want := ask[string](r, "SELECT concat_ws(' ', lost_messages, lines, meta->'gaps') FROM @log_positions"), "0 8"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStopsWhereThePartitionEndsBeforeThePosition(t *testing.T) {
	r := newRig(t, 2)
	r.produce(0, numbered(1, 10)...)
	first := r.begin()
	r.wait(10)
	r.end(first)
	// As after an unclean election, or a backup that was restored.
	if _, err := r.conn.Exec(t.Context(), "UPDATE "+r.db.Schema+".log_positions SET position = 50 WHERE source_key LIKE '%/0'"); err != nil {
		t.Fatal(err)
	}
	second := r.begin()
	testkit.Eventually(t, "the partition is in trouble", func() bool {
		err := second.source.Health()
		return err != nil && strings.Contains(err.Error(), "the partition ends before the position")
	})
	r.produce(0, numbered(1001, 1100)...) // past the position again, but these are others
	r.produce(1, numbered(11, 20)...)     // the other partition goes on
	r.wait(20)
	r.end(second)
	third := r.begin() // it stays so
	advised := ""
	testkit.Eventually(t, "the partition is in trouble again", func() bool {
		err := third.source.Health()
		if err == nil {
			return false
		}
		_, after, found := strings.Cut(err.Error(), "UPDATE ")
		advised, _, _ = strings.Cut(after, ";")
		return found
	})
	r.once(20)
	r.end(third)
	if _, err := r.conn.Exec(t.Context(), "UPDATE "+advised); err != nil { // as it is printed
		t.Fatalf("%s: %v", advised, err)
	}
	r.begin()
	testkit.Eventually(t, "reading goes on", func() bool { return r.events() == 120 })
}
