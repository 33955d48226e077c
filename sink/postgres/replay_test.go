package postgres

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"logflume/pipeline"
)

// A healer is the parser after what was wrong has been put right: it refuses no line but those it is told to.
type healer struct{ refuse func(line string) bool }

func (h healer) Process(b *pipeline.Batch) {
	for i := range b.Lines {
		if b.Lines[i].Joined {
			continue
		}
		line := strings.TrimSuffix(string(b.RawJoined(i)), ";d")
		if h.refuse != nil && h.refuse(line) {
			b.Reject(i, "still")
			continue
		}
		one := &pipeline.Batch{Arena: []byte(line), Lines: []pipeline.Line{{Offset: b.Lines[i].Offset, End: len(line)}}}
		reader{}.Process(one)
		one.Events[0].Line = int32(i)
		b.Events = append(b.Events, one.Events[0])
	}
}

func healed(refuse func(string) bool) Stages {
	return Stages{Parse: healer{refuse}, Rest: []pipeline.Processor{Encoder{}}}
}

// deadRig has a source of 30 lines, of which each third is dead.
func deadRig(t *testing.T) (*rig, *feed) {
	r := newRig(t)
	f := &feed{key: "file:h/1:1#1", lines: 30, batch: 7, line: func(n int64) string {
		if n%3 == 0 {
			return number(n) + ";d"
		}
		return number(n)
	}}
	if err := r.run(t.Context(), r.sink(), f); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(f)
	return r, f
}

func (r *rig) replay(selection LetterSelection, stages Stages) Replayed {
	r.Helper()
	sum, err := r.sink().Replay(r.Context(), selection, stages)
	if err != nil {
		r.Fatal(err)
	}
	return sum
}

func TestReplayStoresWhatPassesNow(t *testing.T) {
	t.Parallel()
	r, f := deadRig(t)
	sum := r.replay(LetterSelection{}, healed(func(line string) bool { return line == "9" || line == "12" }))
	if want := (Replayed{Stored: 8, Events: 8, Dead: 2}); sum != want {
		t.Errorf("replayed %+v, want %+v", sum, want)
	}
	r.exactlyOnce(f)
	if sum := r.replay(LetterSelection{}, healed(nil)); sum != (Replayed{Stored: 2, Events: 2}) {
		t.Errorf("the rest: %+v", sum)
	}
	r.exactlyOnce(f)
	if got := ask[int64](r, `SELECT dead + dead_bytes FROM @log_positions`); got != 0 {
		t.Errorf("%d lines and bytes are left", got)
	}
	if sum := r.replay(LetterSelection{}, healed(nil)); sum != (Replayed{}) {
		t.Errorf("nothing is left, but %+v", sum)
	}
}

func TestReplayOfWhatIsFilteredNow(t *testing.T) {
	t.Parallel()
	r, f := deadRig(t)
	stages := healed(nil)
	stages.Rest = append([]pipeline.Processor{refusing{}}, stages.Rest...)
	if sum := r.replay(LetterSelection{}, stages); sum != (Replayed{Filtered: 10}) {
		t.Errorf("replayed %+v", sum)
	}
	got := ask[string](r, `SELECT format('%s %s %s %s', kept, filtered, dead, analysed) FROM @log_positions`)
	if got != "20 10 0 30" {
		t.Errorf("ledger %s", got)
	}
	r.exactlyOnceTotals()
	_ = f
}

// refusing is a filter that keeps no event.
type refusing struct{}

func (refusing) Process(b *pipeline.Batch) {
	for i := range b.Events {
		b.Events[i].Fate = pipeline.Refuse
	}
}

func TestReplayOfAChoice(t *testing.T) {
	t.Parallel()
	r, f := deadRig(t)
	list := func(s LetterSelection) string {
		t.Helper()
		letters, err := r.sink().Letters(t.Context(), s, 100)
		if err != nil {
			t.Fatal(err)
		}
		var offsets []string
		for _, l := range letters {
			offsets = append(offsets, fmt.Sprint(l.Offset))
		}
		return strings.Join(offsets, " ")
	}
	all := "27 24 21 18 15 12 9 6 3 0"
	hour := time.Now().Add(-time.Hour)
	for _, c := range []struct {
		LetterSelection
		want string
	}{
		{LetterSelection{}, all},
		{LetterSelection{IDs: []int64{2, 3, 77}}, "6 3"},
		{LetterSelection{IDs: []int64{}}, ""},
		{LetterSelection{Reason: "told", Source: "/logs/*", Since: hour}, all},
	} {
		if got := list(c.LetterSelection); got != c.want {
			t.Errorf("%+v: %s", c.LetterSelection, got)
		}
	}
	for _, s := range []LetterSelection{{Reason: "old"}, {Reason: "%"}, {Source: "/logs/_"}, {Source: "logs"}, {Before: hour}} {
		if got := list(s); got != "" {
			t.Errorf("%+v: %s", s, got)
		}
	}
	for _, source := range []string{"1", f.key, "file:*", "/logs/a"} {
		if got := list(LetterSelection{Source: source}); got != all {
			t.Errorf("source %s: %s", source, got)
		}
	}
	if sum := r.replay(LetterSelection{IDs: []int64{2, 3}}, healed(nil)); sum.Stored != 2 {
		t.Errorf("replayed %+v", sum)
	}
	if got, want := list(LetterSelection{}), "27 24 21 18 15 12 9 0"; got != want {
		t.Errorf("left are %s", got)
	}
	r.exactlyOnce(f)

	l, err := r.sink().Letter(t.Context(), 1)
	if err != nil || l == nil || string(l.Raw) != "0;d" || *l.Path != "/logs/a" || l.Event != nil || l.Lines != 1 {
		t.Errorf("letter 1: %+v, %v", l, err)
	}
	if l, err := r.sink().Letter(t.Context(), 2); err != nil || l != nil {
		t.Errorf("letter 2: %+v, %v", l, err)
	}
	if n, err := r.sink().Purge(t.Context(), LetterSelection{Reason: "told"}); n != 8 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
	if got := ask[string](r, `SELECT format('%s %s', dead, dead_bytes) FROM @log_positions`); got != "8 0" {
		t.Errorf("after the purge: %s", got)
	}
}

// Two replays at once, and a writer that goes on with the same source: each line has one row.
func TestReplaysCompete(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f := &feed{key: "file:h/1:1#1", lines: 2000, batch: 100, line: func(n int64) string { return number(n) + ";d" }}
	if err := r.run(t.Context(), r.sink(), f); err != nil {
		t.Fatal(err)
	}
	f.lines = 3000
	_, written := r.start(t.Context(), r.sink(), f)
	var all sync.WaitGroup
	sums := make([]Replayed, 3)
	for i := range sums {
		all.Go(func() {
			var err error
			if sums[i], err = r.sink().Replay(t.Context(), LetterSelection{}, healed(nil)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := written(); err != nil {
		t.Error(err)
	}
	rest := r.replay(LetterSelection{}, healed(nil))
	if n := sums[0].Stored + sums[1].Stored + sums[2].Stored + rest.Stored; n != 3000 {
		t.Errorf("%d letters were stored: %+v, %+v", n, sums, rest)
	}
	r.exactlyOnce(f)
}

// Rows that Postgres refused: only their events are stored, and a line's other letters give up its lines.
func TestReplayOfRefusedRows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f := &feed{key: "file:h/1:1#1", lines: 2, batch: 2, line: func(n int64) string {
		if n == 0 { // the second is good
			return "0;a={\x00,1,2;a={\x00,3;a={\x00"
		}
		return "7;a={\x00,8;a={\x00" // none is
	}}
	s := r.sink()
	intake := pipeline.NewIntake(s.Checkpoints(), pipeline.NewBudget(64<<20), s.options.Stats, 16)
	err := pipeline.Run(t.Context(), pipeline.Pipeline{
		Sources: []pipeline.Source{f}, Intake: intake, Workers: 1, Sink: s, Grace: time.Minute,
		Stages: func() []pipeline.Processor { return []pipeline.Processor{elements{}, Encoder{}} },
	})
	if err != nil {
		t.Fatal(err)
	}
	state := func() string {
		return ask[string](r, `SELECT format('kept %s dead %s events %s; %s; rows %s', kept, dead, events,
			(SELECT string_agg(format('%s.%s:%s', source_offset, event, lines), ' ' ORDER BY letter_id) FROM @log_dead_letters),
			(SELECT string_agg(message, ' ' ORDER BY message) FROM @log_events)) FROM @log_positions`)
	}
	if got, want := state(), "kept 1 dead 1 events 1; 0.0:0 0.2:0 0.3:0 1.0:1 1.1:0; rows 1"; got != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
	good := func(letters ...string) Stages { // the attributes of these are valid now
		return Stages{Parse: elements{good: letters}, Rest: []pipeline.Processor{Encoder{}}}
	}
	if sum := r.replay(LetterSelection{}, good("2", "8")); sum != (Replayed{Stored: 2, Events: 2, Dead: 3}) {
		t.Errorf("replayed %+v", sum)
	}
	if got, want := state(), "kept 2 dead 0 events 3; 0.0:0 0.3:0 1.0:0; rows 1 2 8"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if sum := r.replay(LetterSelection{}, good("0", "3", "7")); sum != (Replayed{Stored: 3, Events: 3}) {
		t.Errorf("replayed %+v", sum)
	}
	if got, want := state(), "kept 2 dead 0 events 6; ; rows 0 1 2 3 7 8"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	r.exactlyOnceTotals()
}

// elements makes an event of each part of a line between commas; those named as good lose their bad attributes.
type elements struct{ good []string }

func (p elements) Process(b *pipeline.Batch) {
	for i := range b.Lines {
		for index, element := range strings.Split(string(b.Raw(i)), ",") {
			for _, name := range p.good {
				if strings.HasPrefix(element, name+";") {
					element = name
				}
			}
			one := &pipeline.Batch{Arena: []byte(element), Lines: []pipeline.Line{{Offset: b.Lines[i].Offset, End: len(element)}}}
			reader{}.Process(one)
			e := one.Events[0]
			e.Line, e.Index = int32(i), int32(index)
			b.Events = append(b.Events, e)
		}
	}
}

// A purge that takes the letter with a line's lines leaves them to another.
func TestPurgeOfOneOfALinesLetters(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`INSERT INTO @log_positions (source_key, lines, dead) VALUES ('file:h/1:1#1', 3, 3)`)
	r.exec(`INSERT INTO @log_dead_letters (source_id, source_offset, reason, sqlstate, raw, length, event, lines)
		VALUES (1, 0, 'a', '22003', 'x', 1, 0, 3), (1, 0, 'b', '22003', 'x', 1, 1, 0)`)
	if n, err := r.sink().Purge(t.Context(), LetterSelection{Reason: "a"}); n != 1 || err != nil {
		t.Fatalf("purged %d, %v", n, err)
	}
	if sum := r.replay(LetterSelection{}, healed(nil)); sum.Dead+sum.Stored != 1 {
		t.Fatalf("replayed %+v", sum)
	}
	if got := ask[string](r, `SELECT format('%s', (SELECT sum(lines) FROM @log_dead_letters))`); got != "3" {
		t.Errorf("its letters have %s lines", got)
	}
}

func TestLettersThatCannotBeReplayed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`INSERT INTO @log_positions (source_key, lines, dead) VALUES ('file:h/1:1#1', 4, 4)`)
	r.exec(`INSERT INTO @log_dead_letters (source_id, source_offset, reason, raw, truncated, length, lines)
		VALUES (1, 0, 'long', 'x', true, 100000, 1), (1, 9, 'share of the analysis refused by the database', 'x', false, 1, 0),
		       (7, 0, 'of a source that is gone', 'x', false, 1, 1), (1, 20, 'joined', E'a\n\n b', false, 4, 2)`)
	if sum := r.replay(LetterSelection{}, healed(nil)); sum != (Replayed{Stored: 1, Events: 1, Unreadable: 3}) {
		t.Errorf("replayed %+v", sum)
	}
	if got := ask[string](r, `SELECT format('%s %s %s', kept, dead, (SELECT message FROM @log_events)) FROM @log_positions`); got != "2 2 a\n\n b" {
		t.Errorf("then %q", got)
	}
}
