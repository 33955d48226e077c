package kafka_test

import "testing"

// The row of a partition says where it ended, by which service_states knows that all of it is stored.
func TestNotesWhereThePartitionEnds(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, numbered(1, 10)...)
	p := r.begin()
	r.wait(10)
	r.produce(0, numbered(11, 30)...)
	r.wait(30)
	r.end(p)
	ends := func() string {
		return ask[string](r, "SELECT concat_ws(' ', position, meta->'end') FROM @log_positions")
	}
	if got := ends(); got != "30 30" {
		t.Errorf("position and end %s, want 30 30", got)
	}
	if _, err := r.conn.Exec(t.Context(), "INSERT INTO "+r.db.Schema+`.log_instances (instance, host, version, sources)
		VALUES ('h/1', 'h', 'v', '{"partitions": 1}')`); err != nil {
		t.Fatal(err)
	}
	state := func() string { return ask[string](r, "SELECT state FROM @service_states(interval '-1 hour')") } // as if an hour had passed
	if got := state(); got != "quiet" {
		t.Errorf("with all read it is %s", got)
	}
	r.deleteTopic()
	r.makeTopic(1)
	r.begin()
	r.produce(0, numbered(31, 35)...)
	r.wait(35)
	if got := ends(); got != "5 5" {
		t.Errorf("position and end in the topic made anew %s, want 5 5", got)
	}
}
