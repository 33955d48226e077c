package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"logflume/internal/testkit"
)

// refused says, as SQL, which numbers the database does not take.
const refused = "n % 997 = 5"

// RefuseSome has the database refuse some rows among many, as an operator's constraint does.
func (r *Rig) RefuseSome() {
	r.t.Helper()
	r.alter("add constraint operator check (not " + strings.Replace(refused, "n", "(attrs ->> 'n')::bigint", 1) + ")")
}

// SettleRefused waits until every line is stored or a dead letter. To find the rows that are refused takes time: it waits as
// long as there are more and more.
func (r *Rig) SettleRefused() {
	r.t.Helper()
	conn := testkit.Connect(r.t, r.url)
	sql := "select coalesce(sum(lines), 0)::bigint from " + r.schema + ".log_positions"
	for lines := int64(0); lines < r.expected(); {
		before := lines
		testkit.EventuallyWithin(r.t, longPatience, fmt.Sprintf("more than %d lines are accounted for", before), func() bool {
			if err := conn.QueryRow(r.t.Context(), sql).Scan(&lines); err != nil {
				r.t.Fatal(err)
			}
			return lines > before
		})
	}
}

// RequireLetters fails the test unless exactly the numbers that were refused are dead letters, each once.
func (r *Rig) RequireLetters() {
	r.t.Helper()
	names, counts := make([]string, len(r.writers)), make([]int64, len(r.writers))
	for i, w := range r.writers {
		names[i], counts[i] = w.Name, int64(w.Lines)
	}
	var letters, wrong int64
	err := testkit.Connect(r.t, r.url).QueryRow(r.t.Context(), fmt.Sprintf(`with letters as (
			select line ->> 'writer' as writer, (line ->> 'n')::bigint as n, count(*) as times, min(sqlstate) as sqlstate
			from (select convert_from(raw, 'utf8')::jsonb as line, sqlstate from %s.log_dead_letters) l group by 1, 2
		), expected as (
			select writer, n from unnest($1::text[], $2::bigint[]) w(writer, lines), generate_series(1, lines) n where %s
		)
		select (select count(*) from letters), count(*) from letters full join expected e using (writer, n)
		where e is null or times is distinct from 1 or sqlstate is distinct from '23514'`, r.schema, refused),
		names, counts).Scan(&letters, &wrong)
	if err != nil {
		r.t.Fatal(err)
	}
	if letters == 0 || wrong != 0 {
		r.t.Errorf("%d numbers are dead letters, %d are so wrongly, or not, or more than once", letters, wrong)
	}
	r.figures = append(r.figures, figure{"dead letters", letters})
}

// AcceptAll lifts what RefuseSome demanded, and has the program replay what it refused: from then on it must be as if
// nothing had been refused.
func (r *Rig) AcceptAll() {
	r.t.Helper()
	r.alter("drop constraint operator")
	command := exec.Command(r.program, "dead-letters", "replay", "--all", "--config", r.config)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "TMPDIR=" + os.TempDir()}
	if out, err := command.CombinedOutput(); err != nil {
		r.t.Fatalf("replay dead letters: %v\n%s", err, out)
	}
}

// alter changes the table of events.
func (r *Rig) alter(how string) {
	r.t.Helper()
	if _, err := testkit.Connect(r.t, r.url).Exec(r.t.Context(), "alter table "+r.schema+".log_events "+how); err != nil {
		r.t.Fatal(err)
	}
}
