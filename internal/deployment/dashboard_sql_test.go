package deployment

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

const (
	minute = time.Minute
	day    = 24 * time.Hour
)

// An answer is what a question of a dashboard yields.
type answer struct {
	columns []string
	types   []uint32
	rows    [][]any
}

// ask asks as Grafana would. It returns nothing when the question fails, which fails the test.
func ask(t *testing.T, tx pgx.Tx, where, sql string) (a answer) {
	t.Helper()
	sub, err := tx.Begin(t.Context()) // so that one wrong question does not spoil the others
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Rollback(t.Context())
	rows, err := sub.Query(t.Context(), sql)
	if err == nil {
		for _, f := range rows.FieldDescriptions() {
			a.columns, a.types = append(a.columns, f.Name), append(a.types, f.DataTypeOID)
		}
		a.rows, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
	}
	if err != nil {
		t.Errorf("%s: %v\n%s", where, err, sql)
	}
	return a
}

var numbers = []uint32{pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID}

// requireSeries fails unless the answer is one that Grafana makes series of: a time, ascending, at most one text, which
// names the series, and numbers.
func (a *answer) requireSeries(t *testing.T, where string) {
	t.Helper()
	texts := 0
	for i, name := range a.columns {
		switch {
		case i == 0 && (name != "time" || a.types[0] != pgtype.TimestamptzOID):
			t.Errorf("%s: the first column is %s, not a time", where, name)
		case i > 0 && a.types[i] == pgtype.TextOID:
			texts++
		case i > 0 && !slices.Contains(numbers, a.types[i]):
			t.Errorf("%s: %s is not a number", where, name)
		}
	}
	if texts > 1 || len(a.columns) < 2 {
		t.Errorf("%s: the columns %q are no series", where, a.columns)
	}
	if !slices.IsSortedFunc(a.rows, func(x, y []any) int { return x[0].(time.Time).Compare(y[0].(time.Time)) }) {
		t.Errorf("%s: times are not ascending", where)
	}
}

// requireExact fails on whole numbers that a browser cannot hold, as ids of patterns are.
func (a *answer) requireExact(t *testing.T, where string) {
	t.Helper()
	for _, row := range a.rows {
		for i, value := range row {
			if n, is := value.(int64); is && (n > 1<<53 || n < -1<<53) {
				t.Errorf("%s: %s has %d, which JavaScript rounds", where, a.columns[i], n)
				return
			}
		}
	}
}

// linkField finds the columns that a link takes values of.
var linkField = regexp.MustCompile(`__data\.fields\.(\w+)`)

// requireColumns fails unless everything that the panel says of columns is about columns that there are.
func (a *answer) requireColumns(t *testing.T, where string, p *panel) {
	t.Helper()
	var named []string
	for _, o := range p.FieldConfig.Overrides {
		named = append(named, o.Matcher.Options)
	}
	for _, l := range p.links(t) {
		for _, m := range linkField.FindAllStringSubmatch(l.URL, -1) {
			named = append(named, m[1])
		}
	}
	for _, name := range named {
		if !slices.Contains(a.columns, name) {
			t.Errorf("%s: the panel says something of a column %s, the columns are %q", where, name, a.columns)
		}
	}
}

// Every panel, variable and annotation of every dashboard answers in ranges of minutes and of weeks, for all services and
// for one, and finds something where there is something.
func TestDashboardsAnswer(t *testing.T) {
	t.Parallel()
	c := newCorpus(t)
	conn := c.reader(t)
	var pattern string
	err := c.db.Connect(t).QueryRow(t.Context(), fmt.Sprintf(
		"SELECT pattern_id::text FROM %s.top_errors(now() - interval '60 days', now(), 'checkout', 1)", c.db.Schema)).Scan(&pattern)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	var now time.Time
	if err := tx.QueryRow(t.Context(), "SELECT now()").Scan(&now); err != nil {
		t.Fatal(err)
	}
	everything := viewer{from: now.Add(-60 * day), to: now, pattern: pattern}
	viewers := []viewer{
		everything,
		{from: now.Add(-5 * minute), to: now},
		{from: now.Add(-6 * time.Hour), to: now, service: "it's"},
		{from: now.Add(-30 * day), to: now, service: "checkout", pattern: pattern},
		{from: now.Add(-21 * day), to: now.Add(-19 * day)},
	}
	for name, d := range dashboards(t) {
		for _, v := range viewers {
			isEverything := v == everything
			v.schema = c.db.Schema
			for i := range d.Panels {
				p := &d.Panels[i]
				v.maxDataPoints, v.minimumInterval = p.MaxDataPoints, minute
				for _, target := range p.Targets {
					if target.RawSQL != "" {
						a := ask(t, tx, name+": "+p.Title, v.render(t, target.RawSQL))
						c.judge(t, name+": "+p.Title+", "+v.String(), p, target, v, a, isEverything)
					}
				}
			}
			for _, annotation := range d.Annotations.List {
				if sql := annotation.Target.RawSQL; sql != "" {
					a := ask(t, tx, annotation.Name, v.render(t, sql))
					if a.requireSeriesOfTexts(t, annotation.Name); isEverything && len(a.rows) == 0 {
						t.Errorf("%s: %s finds nothing, %v", name, annotation.Name, v)
					}
				}
			}
			for _, variable := range d.Templating.List {
				if sql, is := variable.Query.(string); is && variable.Datasource.UID == "${DS}" {
					a := ask(t, tx, variable.Name, v.render(t, sql))
					if isEverything {
						c.requireOptions(t, variable.Name, a)
					}
				}
			}
		}
	}
}

// judge looks at the answer to a panel. It may be empty unless it is about everything.
func (c *corpus) judge(t *testing.T, where string, p *panel, target target, v viewer, a answer, everything bool) {
	t.Helper()
	if a.columns == nil {
		return // it failed
	}
	if target.Format == "time_series" {
		a.requireSeries(t, where)
	}
	a.requireExact(t, where)
	a.requireColumns(t, where, p)
	if everything && len(a.rows) == 0 {
		t.Errorf("%s: finds nothing", where)
	}
	from, until := v.from.Truncate(minute), v.to.Truncate(minute)
	if time.Since(v.to) > day { // steps of a past range are whole
		until = v.to.Truncate(time.Hour).Add(time.Hour)
	}
	if time.Since(v.from) > 2*day {
		from = v.from.Truncate(time.Hour)
	}
	switch p.Title {
	case "Requests by service":
		c.requireSum(t, where, a, until, 1, c.written(from, until, v.service, func(e logged) bool { return e.request }))
	case "Errors by service":
		c.requireSum(t, where, a, until, 60, c.written(from, until, v.service, func(e logged) bool { return e.error }))
	}
}

// requireSum adds a rate up again: value by per seconds, in steps the last of which ends at until.
func (c *corpus) requireSum(t *testing.T, where string, a answer, until time.Time, per float64, want int) {
	t.Helper()
	var times []time.Time
	for _, row := range a.rows {
		times = append(times, row[0].(time.Time))
	}
	if len(times) > 0 && !times[len(times)-1].Before(until) {
		t.Errorf("%s: the last step has only begun", where)
		return
	}
	times = append(slices.Compact(times), until)
	sum := 0.0
	for _, row := range a.rows {
		i, _ := slices.BinarySearchFunc(times, row[0].(time.Time), time.Time.Compare)
		sum += row[2].(float64) / per * times[i+1].Sub(times[i]).Seconds()
	}
	if math.Round(sum) != float64(want) {
		t.Errorf("%s: adds up to %v, %d were written", where, sum, want)
	}
}

// requireSeriesOfTexts fails unless the answer is one that Grafana makes annotations of.
func (a *answer) requireSeriesOfTexts(t *testing.T, where string) {
	t.Helper()
	if !slices.Equal(a.columns, []string{"time", "text", "tags"}) || a.types[0] != pgtype.TimestamptzOID {
		t.Errorf("%s: columns are %q", where, a.columns)
	}
}

func (c *corpus) requireOptions(t *testing.T, name string, a answer) {
	t.Helper()
	var options []string
	for _, row := range a.rows {
		options = append(options, row[0].(string))
	}
	if name == "service" && !slices.Equal(options, []string{"checkout", "it's", "payments"}) ||
		name == "schema" && !slices.Contains(options, c.db.Schema) {
		t.Errorf("the variable %s offers %q", name, options)
	}
}
