package chaos

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"logflume/internal/testkit"
)

// maxFileMemory is the most that an instance may hold that reads files, in KiB: twice the default of limits.memory and
// what the program itself takes.
const maxFileMemory = 192 << 10

// Judge checks the tables now, prints what the run was, and returns the verdict. No instance may run any more.
func (r *Rig) Judge() Verdict {
	r.t.Helper()
	lines := map[string]int64{}
	for _, w := range r.writers {
		lines[w.Name] += int64(w.Lines)
	}
	conn := testkit.Connect(r.t, r.url)
	v, err := Check(r.t.Context(), conn, r.schema, r.form, lines)
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
	if memory := r.memory.Load(); memory > r.maxMemory {
		r.t.Errorf("logflume held %d KiB", memory)
	}
	if r.progressed < r.kills/3 {
		r.t.Errorf("only %d of %d kills came after a commit: too few to mean anything", r.progressed, r.kills)
	}
}

// A figure is a column of the table.
type figure struct {
	name  string
	value any
}

// table renders what happened in the run.
func (r *Rig) table(v Verdict) string {
	var rotations int
	for _, w := range r.writers {
		rotations += w.did.Rotations
	}
	figures := append([]figure{
		{"lines", r.expected()}, {"rotations", rotations}, {"rows", v.Rows}, {"missing", v.Missing}, {"doubled", v.Duplicated},
		{"kills", r.kills}, {"after rows", r.progressed}, {"SIGTERMs", r.restarts}, {"database stops", r.stops},
		{"seconds", fmt.Sprintf("%.1f", time.Since(r.began).Seconds())},
		{"RSS max MiB", fmt.Sprintf("%.1f", float64(r.memory.Load())/1024)},
	}, r.figures...)
	var names, values, text strings.Builder
	for _, f := range figures {
		fmt.Fprintf(&names, "%s\t", f.name)
		fmt.Fprintf(&values, "%v\t", f.value)
	}
	columns := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(columns, "%s\n%s\n", names.String(), values.String())
	columns.Flush()
	return text.String()
}
