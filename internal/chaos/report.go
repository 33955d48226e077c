package chaos

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"logflume/internal/testkit"
)

// maxMemory is the most that an instance may hold, in KiB: twice the default of limits.memory and what the program
// itself takes.
const maxMemory = 192 << 10

// Judge checks the tables now, prints what the run was, and returns the verdict. No instance may run any more.
func (r *Rig) Judge() Verdict {
	r.t.Helper()
	lines := map[string]int64{}
	for _, w := range r.writers {
		lines[w.Name] += int64(w.Lines)
	}
	conn := testkit.Connect(r.t, r.url)
	v, err := Check(r.t.Context(), conn, r.schema, lines)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Logf("\n%s", r.table(v))
	return v
}

// Require fails the test unless the verdict is clean.
func (r *Rig) Require() {
	r.t.Helper()
	v := r.Judge()
	for _, problem := range v.Problems {
		r.t.Error(problem)
	}
	if memory := r.memory.Load(); memory > maxMemory {
		r.t.Errorf("logflume held %d KiB", memory)
	}
	if r.progressed < r.kills/3 {
		r.t.Errorf("only %d of %d kills came after a commit: too few to mean anything", r.progressed, r.kills)
	}
}

// table renders what happened in the run.
func (r *Rig) table(v Verdict) string {
	var rotations int
	for _, w := range r.writers {
		rotations += w.did.Rotations
	}
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(columns, "lines\trotations\trows\tmissing\tdoubled\tkills\tafter rows\tSIGTERMs\tdatabase stops\tseconds\tRSS max MiB\t")
	fmt.Fprintf(columns, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f\t%.1f\t\n", r.expected(), rotations, v.Rows, v.Missing, v.Duplicated,
		r.kills, r.progressed, r.restarts, r.stops, time.Since(r.began).Seconds(), float64(r.memory.Load())/1024)
	columns.Flush()
	return text.String()
}
