package deployment

import (
	"regexp"
	"strings"
	"testing"

	"logflume/internal/testkit"
	"logflume/schema"
)

// What the runbook of the alerts tells to ask can be asked, by whoever may read.
func TestRunbookQueriesRun(t *testing.T) {
	t.Parallel()
	db := testkit.Postgres(t)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	if err := schema.Roles(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	conn := (&corpus{db: db}).reader(t)
	queries := regexp.MustCompile("`(SELECT [^`]+)`").FindAllStringSubmatch(readFile(t, root+"docs/deploy.md"), -1)
	if len(queries) < 4 {
		t.Fatalf("only %d queries were found", len(queries))
	}
	for _, m := range queries {
		if _, err := conn.Exec(t.Context(), strings.ReplaceAll(m[1], "logs.", db.Schema+".")); err != nil {
			t.Errorf("%s\n%v", m[1], err)
		}
	}
}
