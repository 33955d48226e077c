package deployment

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"logflume/internal/testkit"
)

func TestDashboardsAreWellFormed(t *testing.T) {
	t.Parallel()
	uids := map[string]string{}
	for name, d := range dashboards(t) {
		if d.UID == "" || uids[d.UID] != "" {
			t.Errorf("%s: uid %q is empty or that of %s", name, d.UID, uids[d.UID])
		}
		uids[d.UID] = name
		if d.Title == "" || d.Description == "" || d.SchemaVersion != 39 {
			t.Errorf("%s lacks title or description, or is of schema version %d", name, d.SchemaVersion)
		}
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			if p.ID == 0 || ids[p.ID] {
				t.Errorf("%s: two panels have the id %d", name, p.ID)
			}
			ids[p.ID] = true
			g := p.GridPos
			if g.W < 1 || g.H < 1 || g.X < 0 || g.Y < 0 || g.X+g.W > 24 {
				t.Errorf("%s: %s is not on the grid: %+v", name, p.Title, g)
			}
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Fatalf("%s: %s lies on %s", name, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			requireExplained(t, name, &p)
		}
	}
	for name, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, l := range p.links(t) {
				uid, _, _ := strings.Cut(strings.TrimPrefix(l.URL, "/d/"), "?")
				if uids[uid] == "" {
					t.Errorf("%s: %s links to %s, which is none of our dashboards", name, p.Title, l.URL)
				}
			}
		}
	}
}

// requireExplained fails unless a panel says what it shows, in what unit, and what it says when there is nothing.
func requireExplained(t *testing.T, name string, p *panel) {
	t.Helper()
	if p.Title == "" {
		t.Errorf("%s: panel %d has no title", name, p.ID)
	}
	if p.Type == "row" {
		return
	}
	if len(p.Description) < 20 || p.FieldConfig.Defaults.Unit == "" || p.FieldConfig.Defaults.NoValue == "" {
		t.Errorf("%s: %s lacks description, unit or what to say without data", name, p.Title)
	}
	if len(p.Targets) == 0 {
		t.Errorf("%s: %s asks nothing", name, p.Title)
	}
	for _, target := range p.Targets {
		want := datasource{"grafana-postgresql-datasource", "${DS}"}
		if target.Expr != "" {
			want = datasource{"prometheus", "${PROM}"}
		}
		if target.Datasource != want || p.Datasource != want || (target.Expr == "") == (target.RawSQL == "") {
			t.Errorf("%s: %s asks %+v", name, p.Title, target.Datasource)
		}
	}
}

// What is asked of Prometheus are metrics that exist, in words that Prometheus understands.
func TestDashboardsAskForMetricsThatExist(t *testing.T) {
	t.Parallel()
	grafana := strings.NewReplacer("$__rate_interval", "1m", "$__range", "6h", "$instance", ".*")
	var rules strings.Builder
	rules.WriteString("groups:\n- name: panels\n  rules:\n")
	n := 0
	for name, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				if target.Expr == "" {
					continue
				}
				requireMetrics(t, name+": "+p.Title, target.Expr)
				n++
				fmt.Fprintf(&rules, "  - {record: 'panel:%d', expr: %q}\n", n, grafana.Replace(target.Expr))
			}
		}
	}
	if n < 10 {
		t.Fatalf("only %d panels ask Prometheus", n)
	}
	path := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(path, []byte(rules.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), testkit.Promtool(t), "check", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, rules.String())
	}
}
