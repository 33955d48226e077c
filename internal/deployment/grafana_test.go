package deployment

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A viewer is what Grafana puts into the questions of a dashboard: the time range, the width of a panel, the variables.
type viewer struct {
	from, to        time.Time
	schema          string
	service         string // "" for all
	pattern         string // "" for none
	maxDataPoints   int
	minimumInterval time.Duration
}

// timeFilter is the macro for a condition on a column.
var timeFilter = regexp.MustCompile(`\$__timeFilter\(([^)]*)\)`)

// render returns a question as the data source sends it. It fails the test when something is left that Grafana would not
// replace either.
func (v viewer) render(t *testing.T, sql string) string {
	t.Helper()
	service := "NULL" // allValue of the variable, which Grafana inserts as it is
	if v.service != "" {
		service = quoted(v.service)
	}
	from, to := quoted(v.from.UTC().Format(time.RFC3339Nano)), quoted(v.to.UTC().Format(time.RFC3339Nano))
	sql = strings.NewReplacer(
		"${schema:raw}", v.schema, "${service:sqlstring}", service, "${pattern:sqlstring}", quoted(v.pattern),
		"$__timeFrom()", from, "$__timeTo()", to, "$__interval", v.interval(),
	).Replace(sql)
	sql = timeFilter.ReplaceAllString(sql, "$1 BETWEEN "+from+" AND "+to)
	if strings.Contains(sql, "$") {
		t.Errorf("not all macros and variables are known:\n%s", sql)
	}
	return sql
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// steps are the widths that Grafana rounds to, from a minute on.
var steps = []struct {
	below time.Duration // the exact width is less
	text  string
}{
	{90 * time.Second, "1m"}, {210 * time.Second, "2m"}, {450 * time.Second, "5m"}, {750 * time.Second, "10m"},
	{1050 * time.Second, "15m"}, {1500 * time.Second, "20m"}, {2700 * time.Second, "30m"}, {5400 * time.Second, "1h"},
	{9000 * time.Second, "2h"}, {16200 * time.Second, "3h"}, {32400 * time.Second, "6h"}, {86400 * time.Second, "12h"},
	{604800 * time.Second, "1d"}, {1814400 * time.Second, "1w"},
}

// interval returns the width of a step: that of the range by the points that fit, rounded, and not less than the least.
func (v viewer) interval() string {
	exact := max(v.to.Sub(v.from)/time.Duration(max(v.maxDataPoints, 1)), v.minimumInterval)
	for _, step := range steps {
		if exact < step.below {
			return step.text
		}
	}
	return "30d"
}

func TestViewerRoundsSteps(t *testing.T) {
	t.Parallel()
	check := func(span time.Duration, points int, want string) {
		t.Helper()
		v := viewer{to: time.Unix(0, 0).Add(span), from: time.Unix(0, 0), maxDataPoints: points, minimumInterval: time.Minute}
		if got := v.interval(); got != want {
			t.Errorf("%v at %d points: %s, want %s", span, points, got, want)
		}
	}
	check(5*time.Minute, 500, "1m")
	check(24*time.Hour, 500, "2m")
	check(30*24*time.Hour, 500, "1h")
	check(30*24*time.Hour, 120, "6h")
	check(365*24*time.Hour, 100, "1d")
}

func (v viewer) String() string {
	return fmt.Sprintf("%v until %s, service %q, pattern %q", v.to.Sub(v.from), v.to.Format(time.TimeOnly), v.service, v.pattern)
}
