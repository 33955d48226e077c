package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"logflume/pipeline"
)

// letter is a dead letter as Postgres has it.
type letter struct {
	Offset   int64
	Reason   string
	SQLState string
	Raw      []byte
}

func (r *rig) letters() []letter {
	r.Helper()
	rows, err := r.conn.Query(r.Context(), r.in(`SELECT source_offset, reason, coalesce(sqlstate, ''), raw
		FROM @log_dead_letters ORDER BY source_offset`))
	if err != nil {
		r.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[letter])
	if err != nil {
		r.Fatal(err)
	}
	return all
}

// Rows that Postgres refuses become dead letters; all others of their flush are stored.
func TestBadRows(t *testing.T) {
	t.Parallel()
	const lines = 1000
	deep := strings.Repeat("[", 200_000)
	for name, c := range map[string]struct {
		bad   []int64
		attrs string
		state string
	}{
		"first":           {[]int64{0}, `{"a":1`, "22P02"},
		"last":            {[]int64{lines - 1}, `{"a":"\u0000"}`, "22P05"},
		"both ends":       {[]int64{0, lines - 1}, `{"a":"\ud800"}`, "22P02"},
		"neighbours":      {[]int64{500, 501, 502}, "{\"a\":\"\xff\"}", "22021"},
		"number":          {[]int64{7, 300}, `{"a":1e999999}`, "22003"},
		"too deep":        {[]int64{250}, `{"a":` + deep, "54001"},
		"every other one": {everyOther(lines), `{`, "22P02"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := r.sink(func(o *Options) { o.FlushRows = lines })
			f := &feed{key: "a", lines: lines, batch: 40, line: func(n int64) string {
				if slices.Contains(c.bad, n) {
					return number(n) + ";a=" + c.attrs
				}
				return number(n)
			}}
			if err := r.run(t.Context(), s, f); err != nil {
				t.Fatal(err)
			}
			r.exactlyOnce(f)
			letters := r.letters()
			if len(letters) != len(c.bad) {
				t.Fatalf("%d dead letters, want %d", len(letters), len(c.bad))
			}
			for i, l := range letters {
				raw := f.line(c.bad[i])
				raw = raw[:min(len(raw), pipeline.MaxDeadLetter)]
				if l.Offset != c.bad[i] || l.Reason != "row refused by the database: column attrs" || l.SQLState != c.state || string(l.Raw) != raw {
					t.Errorf("line %d: at %d, %s, %s, %d bytes", c.bad[i], l.Offset, l.Reason, l.SQLState, len(l.Raw))
				}
			}
			if strings.Contains(r.log.String(), "WARN") {
				t.Error("a bad row is no fault of the database, yet it was logged as one")
			}
		})
	}
}

func everyOther(n int64) (odd []int64) {
	for i := int64(1); i < n; i += 2 {
		odd = append(odd, i)
	}
	return odd
}

// A row is found although the error does not say which line it is on.
func TestBadRowWithoutLineNumber(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec(`CREATE FUNCTION @refuse() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF EXISTS (SELECT FROM new_rows WHERE message IN ('0', '333', '334', '999')) THEN
				RAISE 'no' USING ERRCODE = '22023';
			END IF;
			RETURN NULL;
		END $$`)
	r.exec(`CREATE TRIGGER refuse AFTER INSERT ON @log_events REFERENCING NEW TABLE AS new_rows
		FOR EACH STATEMENT EXECUTE FUNCTION @refuse()`)
	s := r.sink()
	f := &feed{key: "a", lines: 1000, batch: 100, line: number}
	if err := r.run(t.Context(), s, f); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(f)
	var offsets []int64
	for _, l := range r.letters() {
		offsets = append(offsets, l.Offset)
		if l.SQLState != "22023" || l.Reason != "row refused by the database" {
			t.Errorf("%+v", l)
		}
	}
	if !slices.Equal(offsets, []int64{0, 333, 334, 999}) {
		t.Errorf("refused %v", offsets)
	}
}

// Constraints that an operator added refuse rows as bad data does.
func TestConstraintRefusesRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ ddl, state string }{
		"check":    {"ADD CHECK (message <> '77')", "23514"},
		"not null": {"ALTER level SET NOT NULL", "23502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.exec("ALTER TABLE @log_events " + c.ddl)
			s := r.sink()
			f := &feed{key: "a", lines: 300, batch: 30, line: func(n int64) string {
				if n == 77 {
					return "77;l="
				}
				return number(n)
			}}
			if err := r.run(t.Context(), s, f); err != nil {
				t.Fatal(err)
			}
			r.exactlyOnce(f)
			if l := r.letters(); len(l) != 1 || l[0].Offset != 77 || l[0].SQLState != c.state {
				t.Errorf("%+v", l)
			}
		})
	}
}

// Two bad sources share a flush with a good one: each keeps its own.
func TestBadRowsOfSeveralStreams(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink()
	bad := func(n int64) string {
		if n%97 == 0 {
			return fmt.Sprintf("%d;a={", n)
		}
		return number(n)
	}
	feeds := []*feed{
		{key: "a", lines: 2000, batch: 45, line: bad},
		{key: "b", lines: 2000, batch: 35, line: number},
		{key: "c", lines: 2000, batch: 25, line: bad},
	}
	if err := r.run(t.Context(), s, feeds...); err != nil {
		t.Fatal(err)
	}
	r.exactlyOnce(feeds...)
	if n := s.options.Stats.Dead.Load(); n != 42 {
		t.Errorf("%d dead", n)
	}
}

// A share that Postgres refuses is a fault of the analysis. It must not stop the lines.
func TestBadShareIsADeadLetter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.sink(func(o *Options) {
		o.NewAggregate = func() pipeline.Aggregate { return &count{broken: true} }
	})
	f := &feed{key: "a", lines: 500, batch: 50, line: number}
	if err := r.run(t.Context(), s, f); err != nil {
		t.Fatal(err)
	}
	if n := ask[int64](r, "SELECT count(DISTINCT source_offset) FROM @log_events"); n != f.lines || r.stored("a") != f.lines {
		t.Errorf("%d rows, position %d", n, r.stored("a"))
	}
	letters := r.letters()
	if len(letters) == 0 || letters[0].Reason != "share of the analysis refused by the database" || letters[0].SQLState != "22021" {
		t.Errorf("%+v", letters)
	}
}

func TestRejectKeepsTheOtherRows(t *testing.T) {
	t.Parallel()
	b := typical(6)
	b.Events[1].Fate, b.Events[3].Line = pipeline.Refuse, 2 // rows 0, 1, 2, 3, 4 are events 0, 2, 3, 4, 5
	b.Stream = pipeline.NewStream(pipeline.Checkpoint{ID: 1})
	Encoder{}.Process(b)
	rows := tuples{data: slices.Clone(b.Rows), ends: slices.Clone(b.RowEnds)}
	reject(b, []refusal{{row: 0, state: "22P02"}, {row: 2, state: "22021", column: "message"}, {row: 4, state: "22003"}})
	want := slices.Concat(rows.span(1, 2), rows.span(3, 4))
	if !slices.Equal(b.Rows, want) || len(b.RowEnds) != 2 || b.RowEnds[1] != len(want) {
		t.Errorf("rows end at %v, of %d bytes, want %d", b.RowEnds, len(b.Rows), len(want))
	}
	if l := b.Ledger(); l != (pipeline.Ledger{Lines: 6, Kept: 2, Filtered: 2, Dead: 2, Events: 2, Analysed: 6, Bytes: 6}) {
		t.Errorf("%+v", l) // lines 1 and 3 have no event that is kept and no dead letter
	}
	if len(b.Dead) != 3 || b.Dead[1].Line != 2 || b.Dead[1].SQLState != "22021" {
		t.Errorf("%+v", b.Dead)
	}
}
