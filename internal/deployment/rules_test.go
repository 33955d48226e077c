package deployment

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"logflume/internal/testkit"
)

const (
	root     = "../../"
	rulesDir = root + "deploy/prometheus"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// A rule is an alert of the rules.
type rule struct {
	Alert       string
	Expr        string
	For         string
	Labels      struct{ Severity string }
	Annotations struct{ Summary, Description, Runbook string }
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func alerts(t *testing.T) (all []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	text := readFile(t, filepath.Join(rulesDir, "logflume.rules.yml"))
	if err := yaml.UnmarshalWithOptions([]byte(text), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("there are no rules")
	}
	return all
}

// promtool runs it in the folder of the rules.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), testkit.Promtool(t), args...)
	command.Dir = rulesDir
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestRulesAreValid(t *testing.T) {
	t.Parallel()
	promtool(t, "check", "rules", "logflume.rules.yml")
	promtool(t, "check", "config", "prometheus.yml")
	// Debian builds Prometheus without the discovery of Kubernetes, so all but that is checked of the other one.
	discovery := regexp.MustCompile(`kubernetes_sd_configs:\n      - role: pod\n        namespaces: \{names: \[logflume\]\}`)
	text := readFile(t, filepath.Join(rulesDir, "prometheus-kubernetes.yml"))
	if !discovery.MatchString(text) {
		t.Error("prometheus-kubernetes.yml discovers no pods")
	}
	copied := filepath.Join(t.TempDir(), "prometheus.yml")
	write(t, copied, discovery.ReplaceAllString(text, "static_configs: []"))
	write(t, filepath.Join(filepath.Dir(copied), "logflume.rules.yml"), readFile(t, filepath.Join(rulesDir, "logflume.rules.yml")))
	promtool(t, "check", "config", copied)
}

func TestRulesFireWhenTheyShould(t *testing.T) {
	t.Parallel()
	promtool(t, "test", "rules", "logflume.test.yml")
	cases := readFile(t, filepath.Join(rulesDir, "logflume.test.yml"))
	for _, r := range alerts(t) {
		if !strings.Contains(cases, `alertname="`+r.Alert+`"`) && !strings.Contains(cases, "alertname: "+r.Alert+"\n") {
			t.Errorf("logflume.test.yml has no case in which %s fires", r.Alert)
		}
	}
}

// Who is woken up must find what to do.
func TestAlertsHaveRunbooks(t *testing.T) {
	t.Parallel()
	page := readFile(t, root+"docs/deploy.md")
	for _, r := range alerts(t) {
		a := r.Annotations
		if a.Summary == "" || a.Description == "" || !slices.Contains([]string{"critical", "warning", "info"}, r.Labels.Severity) {
			t.Errorf("%s lacks summary, description or severity", r.Alert)
		}
		if a.Runbook != "docs/deploy.md#"+strings.ToLower(r.Alert) || !strings.Contains(page, "\n### "+r.Alert+"\n") {
			t.Errorf("%s: its runbook is %s, and docs/deploy.md should have a heading of its name", r.Alert, a.Runbook)
		}
	}
}

// metricName finds names of our metrics in PromQL, and seriesLabel a label with the value that is asked for.
var (
	metricName  = regexp.MustCompile(`\b(?:logflume|go)_[a-z_]+`)
	seriesLabel = regexp.MustCompile(`\b((?:logflume|go)_[a-z_]+)\{[^}]*?(class|outcome|state|check)(=|=~)"([a-z_|]+)"`)
)

// requireMetrics fails unless all metrics that an expression names are exported, and all series that it picks by a label
// which has a fixed set of values.
func requireMetrics(t *testing.T, where, expr string) {
	t.Helper()
	exported := strings.Split(readFile(t, root+"cmd/logflume/testdata/metrics.txt"), "\n")
	for _, name := range metricName.FindAllString(expr, -1) {
		if !slices.ContainsFunc(exported, func(line string) bool { return strings.HasPrefix(line, name+" ") }) {
			t.Errorf("%s asks for %s, which is no metric of logflume", where, name)
		}
	}
	for _, m := range seriesLabel.FindAllStringSubmatch(expr, -1) {
		for value := range strings.SplitSeq(m[4], "|") {
			if series := m[1] + "{" + m[2] + `="` + value + `"}`; !slices.Contains(exported, series) {
				t.Errorf("%s asks for %s, which no metric of logflume is", where, series)
			}
		}
	}
}

func TestRulesAskForMetricsThatExist(t *testing.T) {
	t.Parallel()
	asked := 0
	for _, r := range alerts(t) {
		asked += len(metricName.FindAllString(r.Expr, -1))
		requireMetrics(t, r.Alert, r.Expr)
	}
	if asked < 20 {
		t.Errorf("only %d names of metrics were found", asked)
	}
}
