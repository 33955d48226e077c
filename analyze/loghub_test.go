package analyze

import (
	"encoding/csv"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	loghubData = "../../shared/data/loghub2k"
	loghubEval = "../../shared/tools/loghub-eval"
)

// labelledFiles returns the files with labelled lines.
func labelledFiles(t testing.TB) []string {
	t.Helper()
	systems, err := filepath.Glob(loghubData + "/*/*_2k.log_structured.csv")
	if _, toolErr := os.Stat(loghubEval); err != nil || len(systems) == 0 || toolErr != nil {
		t.Skipf("SKIPPED: no labelled data in %s or no evaluator in %s; the accuracy of the rules is not measured", loghubData, loghubEval)
	}
	return systems
}

// The labelled lines of eight systems are the measure of the rules, so a change that makes them worse is seen here.
func TestLogHubAccuracy(t *testing.T) {
	t.Parallel()
	systems := labelledFiles(t)
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
	if result.Average.GA < 0.95 || result.Average.FGA < 0.96 {
		t.Errorf("mean GA %.3f, FGA %.3f; want at least 0.95, 0.96", result.Average.GA, result.Average.FGA)
	}
}

// writeGroups writes the final ids of the messages of the labelled file at path into dir.
func writeGroups(t *testing.T, path, dir string) {
	t.Helper()
	var groups strings.Builder
	for _, id := range finals(NewMiner(), contents(t, path)) {
		groups.WriteString(strconv.FormatInt(id, 10) + "\n")
	}
	system := filepath.Join(dir, filepath.Base(filepath.Dir(path)))
	if err := os.WriteFile(system+".groups", []byte(groups.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// contents returns the messages of the labelled file at path.
func contents(t testing.TB, path string) []string {
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
	column := slices.Index(rows[0], "Content")
	messages := make([]string, len(rows)-1)
	for i, row := range rows[1:] {
		messages[i] = row[column]
	}
	return messages
}

// The lines of real systems keep their final ids in any order, and when two hosts see a part each.
func TestLogHubOrder(t *testing.T) {
	t.Parallel()
	for _, path := range labelledFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			messages := contents(t, path)
			want := finals(NewMiner(), messages)
			check := func(how string, got []int64) {
				different := 0
				for i := range got {
					if got[i] != want[i] {
						different++
					}
				}
				if different > 0 {
					t.Errorf("%s: %d of %d lines have another id", how, different, len(got))
				}
			}
			for seed := range uint64(5) {
				order := rand.New(rand.NewPCG(seed, 1)).Perm(len(messages))
				check("shuffled", permuted(NewMiner(), messages, order))
			}
			reversed := slices.Collect(maps.Keys(indexed(messages)))
			slices.SortFunc(reversed, func(a, b int) int { return b - a })
			check("reversed", permuted(NewMiner(), messages, reversed))
			check("odd and even lines", exchanged(messages, func(i int) bool { return i%2 == 1 }))
			check("first and second half", exchanged(messages, func(i int) bool { return i > len(messages)/2 }))
		})
	}
}
