package chaos_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"logflume/internal/testkit"
)

// What the writers leave in their files is each number once, whichever way they rotate; otherwise nothing that is found
// missing later would mean anything.
func TestWritersWriteEveryNumberOnce(t *testing.T) {
	t.Parallel()
	slog := testkit.Program(t, "./internal/chaos/writers/slogwriter")
	for name, command := range map[string][]string{
		"python":       {"python3", "writers/rotating.py", "--rotate", "0.02"},
		"rename":       {slog, "-mode", "rename", "-rotate", "20ms"},
		"copytruncate": {slog, "-mode", "copytruncate", "-rotate", "20ms"},
		"symlink":      {slog, "-mode", "symlink", "-rotate", "20ms"},
		"torn":         {slog, "-torn", "-rotate", "20ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dash := "-"
			if name == "python" {
				dash = "--"
			}
			dir := t.TempDir()
			command = append(command, dash+"dir", dir, dash+"name", "w", dash+"lines", "2000", dash+"rate", "5000")
			out, err := exec.Command(command[0], command[1:]...).Output()
			if err != nil {
				t.Fatal(err)
			}
			var did struct{ Lines, Rotations int }
			if err := json.Unmarshal(out, &did); err != nil || did.Lines != 2000 || did.Rotations < 3 {
				t.Errorf("%s, %v", out, err)
			}
			seen := map[int]int{}
			for _, file := range regularFiles(t, dir) {
				countNumbers(t, file, seen)
			}
			for n := 1; n <= 2000; n++ {
				if seen[n] != 1 {
					t.Errorf("number %d is there %d times", n, seen[n])
				}
			}
			if len(seen) != 2000 {
				t.Errorf("%d numbers", len(seen))
			}
		})
	}
}

func regularFiles(t *testing.T, dir string) (paths []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			paths = append(paths, filepath.Join(dir, entry.Name()))
		}
	}
	return paths
}

// countNumbers adds the numbers of a file's lines, and checks that their messages are what Check expects.
func countNumbers(t *testing.T, path string, seen map[int]int) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct {
			N                    int
			Writer, Msg, Message string
			TraceID              string `json:"trace_id"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		want := fmt.Sprintf("line %d of w: %send %d", line.N, strings.Repeat("payload ", line.N%13), line.N)
		if line.Msg+line.Message != want || line.Writer != "w" || line.TraceID != fmt.Sprintf("%032x", line.N) {
			t.Errorf("%s", lines.Text())
		}
		seen[line.N]++
	}
}
