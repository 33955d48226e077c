package analyze

import (
	"bufio"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/patterns.golden")

const goldenFile = "testdata/patterns.golden"

// Ids are stored for years and compared between hosts: they must be the same in every build. When a rule changes on
// purpose, raise ruleVersion and run the test with -update.
func TestGoldenIDs(t *testing.T) {
	t.Parallel()
	f, err := os.Open(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out strings.Builder
	lines := 0
	for s := bufio.NewScanner(f); s.Scan(); lines++ {
		fields := strings.Split(s.Text(), "\t") // id, pattern, message
		message := fields[len(fields)-1]
		pattern, id := masked(message)
		now := strconv.FormatInt(id, 10) + "\t" + pattern + "\t" + message
		out.WriteString(now + "\n")
		if !*update && now != s.Text() {
			t.Errorf("%s\n got %d %s\nwant %s %s", message, id, pattern, fields[0], fields[1])
		}
	}
	if lines < 50 {
		t.Errorf("only %d messages in %s", lines, goldenFile)
	}
	if *update {
		if err := os.WriteFile(goldenFile, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
