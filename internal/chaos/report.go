package chaos

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	conn := testkit.Connect(r.t, r.url)
	v, err := Check(r.t.Context(), conn, r.schema, r.form, r.written())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Logf("\n%s", r.table(r.result(v)))
	return v
}

// Finish lets the last instances read the rest, ends them, runs the program once more, and requires that all is right.
func (r *Rig) Finish(last ...*Instance) Result {
	r.t.Helper()
	r.WaitWriters()
	r.Settle()
	for _, i := range last {
		i.Terminate()
	}
	r.Again()
	return r.Require()
}

// Require fails the test unless the verdict is clean and the kills meant something, and writes the result down where the
// environment says.
func (r *Rig) Require() Result {
	r.t.Helper()
	result := r.requireClean()
	if r.progressed < r.kills/3 {
		r.t.Errorf("only %d of %d kills came after a commit: too few to mean anything", r.progressed, r.kills)
	}
	return result
}

// requireClean fails the test unless the verdict is clean, and writes the result down and returns it.
func (r *Rig) requireClean() Result {
	r.t.Helper()
	v := r.Judge()
	result := r.result(v)
	if err := result.append(os.Getenv(resultsVariable)); err != nil {
		r.t.Fatal(err)
	}
	for _, problem := range v.Problems {
		r.t.Error(problem)
	}
	if memory := r.memory.Load(); memory > r.maxMemory {
		r.t.Errorf("logflume held %d KiB", memory)
	}
	if most := r.maxDescriptors(); r.descriptors.Load() > most {
		r.t.Errorf("logflume had %d files open, expected at most %d", r.descriptors.Load(), most)
	}
	return result
}

// maxDescriptors returns the most files that an instance may have open: its own, as many as there ever were at once, those
// that are followed once more, and those that rotations have removed.
func (r *Rig) maxDescriptors() int64 {
	r.t.Helper()
	const own, followed = 64, 256
	removed := int64(0)
	for _, w := range r.writers {
		removed += int64(w.did.Rotations)
	}
	r.countFiles()
	return own + r.mostFiles + min(r.mostFiles, followed) + removed
}

// countFiles notes how many files there are, before some are removed.
func (r *Rig) countFiles() {
	r.t.Helper()
	files := int64(0)
	err := filepath.WalkDir(r.Logs, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files++
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.mostFiles = max(r.mostFiles, files)
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
		{"doubled", result.Doubled}, {"destroyed", result.Destroyed}, {"lost bytes", result.LostBytes},
		{"kills", result.Kills}, {"after rows", r.progressed}, {"SIGTERMs", result.Restarts}, {"database stops", result.Stops}, {"seconds", fmt.Sprintf("%.1f", result.Seconds)},
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
