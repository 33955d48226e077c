package chaos

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"logflume/internal/testkit"
)

// maxFileMemory is the most that an instance may hold that reads files, in KiB: twice the default of limits.memory and
// what the program itself takes.
const maxFileMemory = 192 << 10

// Judge checks the tables now, prints what the run was, and returns the verdict. No instance may run any more.
func (r *Rig) Judge() Verdict {
	r.t.Helper()
	r.account.Lines = map[string]int64{}
	for _, w := range r.writers {
		r.account.Lines[w.Name] += int64(w.Lines)
	}
	conn := testkit.Connect(r.t, r.url)
	v, err := Check(r.t.Context(), conn, r.schema, r.form, r.account)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Logf("\n%s", r.table(r.result(v)))
	return v
}

// Require fails the test unless the verdict is clean and the kills meant something, and writes the result down where the
// environment says.
func (r *Rig) Require() {
	r.t.Helper()
	r.requireClean()
	if r.progressed < r.kills/3 {
		r.t.Errorf("only %d of %d kills came after a commit: too few to mean anything", r.progressed, r.kills)
	}
}

// requireClean fails the test unless the verdict is clean, and writes the result down.
func (r *Rig) requireClean() {
	r.t.Helper()
	v := r.Judge()
	if err := r.result(v).append(os.Getenv(resultsVariable)); err != nil {
		r.t.Fatal(err)
	}
	for _, problem := range v.Problems {
		r.t.Error(problem)
	}
	if memory := r.memory.Load(); memory > r.maxMemory {
		r.t.Errorf("logflume held %d KiB", memory)
	}
}

// A figure is a column of the table.
type figure struct {
	name  string
	value any
}

// table renders what happened in the run.
func (r *Rig) table(result Result) string {
	figures := append([]figure{
		{"lines", result.Lines}, {"rotations", result.Rotations}, {"rows", result.Rows}, {"missing", result.Missing},
		{"doubled", result.Doubled}, {"kills", result.Kills}, {"after rows", r.progressed}, {"SIGTERMs", result.Restarts},
		{"database stops", result.Stops}, {"seconds", fmt.Sprintf("%.1f", result.Seconds)},
		{"RSS max MiB", fmt.Sprintf("%.1f", result.MemoryMiB)}, {"descriptors max", result.Descriptors},
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
