package analyze

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	loghubData = "../../shared/data/loghub2k"
	loghubEval = "../../shared/tools/loghub-eval"
)

// The labelled lines of eight systems are the measure of the rules, so a change that makes them worse is seen here.
func TestLogHubAccuracy(t *testing.T) {
	t.Parallel()
	systems, err := filepath.Glob(loghubData + "/*/*_2k.log_structured.csv")
	if _, toolErr := os.Stat(loghubEval); err != nil || len(systems) == 0 || toolErr != nil {
		t.Skipf("SKIPPED: no labelled data in %s or no evaluator in %s; the accuracy of the masking rules is not measured", loghubData, loghubEval)
	}
	dir := t.TempDir()
	tool := filepath.Join(dir, "loghub-eval")
	build := exec.Command("go", "build", "-o", tool, ".")
	build.Dir = loghubEval
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the evaluator: %v\n%s", err, out)
	}
	for _, path := range systems {
		writeGroups(t, path, dir)
	}
	data, err := filepath.Abs(loghubData)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, "table", "-data", data, "-pred", dir, "-json").Output()
	if err != nil {
		t.Fatalf("evaluate: %v", err)
	}
	var result struct {
		Systems map[string]struct{ GA, FGA float64 }
		Average struct{ GA, FGA, ARI float64 }
	}
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatal(err)
	}
	for name, r := range result.Systems {
		t.Logf("%-10s GA %.3f FGA %.3f", name, r.GA, r.FGA)
	}
	t.Logf("%-10s GA %.3f FGA %.3f ARI %.3f", "mean", result.Average.GA, result.Average.FGA, result.Average.ARI)
	if result.Average.GA < 0.925 || result.Average.FGA < 0.92 {
		t.Errorf("mean GA %.3f, FGA %.3f; want at least 0.925, 0.92", result.Average.GA, result.Average.FGA)
	}
}

// writeGroups masks the messages of the labelled file at path and writes an id a line into dir.
func writeGroups(t *testing.T, path, dir string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.LazyQuotes = true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	column := -1
	for i, name := range rows[0] {
		if name == "Content" {
			column = i
		}
	}
	var groups strings.Builder
	var m masker
	for _, row := range rows[1:] {
		groups.WriteString(strconv.FormatInt(m.mask(row[column]), 10) + "\n")
	}
	system := filepath.Join(dir, filepath.Base(filepath.Dir(path)))
	if err := os.WriteFile(system+".groups", []byte(groups.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
