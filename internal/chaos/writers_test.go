package chaos_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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
		"late":         {slog, "-mode", "late", "-late", "0.8", "-every", "150"},
		"gzip":         {slog, "-mode", "gzip", "-every", "150"},
		"dated":        {slog, "-mode", "dated", "-every", "150"},
		"copytruncate": {slog, "-mode", "copytruncate", "-rotate", "20ms"},
		"symlink":      {slog, "-mode", "symlink", "-rotate", "20ms"},
		"data":         {slog, "-mode", "data", "-every", "150"},
		"container":    {slog, "-mode", "container", "-every", "150"},
		"create":       {slog, "-mode", "logrotate-create", "-every", "300"},
		"compress":     {slog, "-mode", "logrotate-compress", "-every", "300"},
		"torn":         {slog, "-torn", "-rotate", "20ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dash := "-"
			if name == "python" {
				dash = "--"
			}
			if slices.ContainsFunc(command, func(option string) bool { return strings.HasPrefix(option, "logrotate-") }) {
				command = append(command, "-logrotate", testkit.Logrotate(t), "-work", t.TempDir())
			}
			if name == "container" {
				command = append(command, "-stored", storedFile(t, 2000))
			}
			dir := t.TempDir()
			command = append(command, dash+"dir", dir, dash+"name", "w", dash+"lines", "2000", dash+"rate", "5000")
			out, err := exec.Command(command[0], command[1:]...).Output()
			if err != nil {
				t.Fatal(err)
			}
			var did struct{ Lines, Rotations int }
			if err := json.Unmarshal(out, &did); err != nil || did.Lines != 2000 || did.Rotations < 1 {
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

// storedFile returns the path of a file that says how many lines are stored.
func storedFile(t *testing.T, lines int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stored")
	if err := os.WriteFile(path, []byte(strconv.Itoa(lines)), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a copytruncate destroys is what the writer says it risked.
func TestWritersTellWhatTheyRisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, err := exec.Command(testkit.Program(t, "./internal/chaos/writers/slogwriter"), "-dir", dir, "-name", "w", "-lines", "100",
		"-mode", "copytruncate", "-every", "40", "-late", "0.2").Output()
	if err != nil {
		t.Fatal(err)
	}
	var did struct{ Risks []struct{ First, Last int } }
	if err := json.Unmarshal(out, &did); err != nil {
		t.Fatal(err)
	}
	seen := map[int]int{}
	for _, file := range regularFiles(t, dir) {
		countNumbers(t, file, seen)
	}
	var gone []int
	for n := 1; n <= 100; n++ {
		if seen[n] == 0 {
			gone = append(gone, n)
		}
	}
	var risked []int
	for _, risk := range did.Risks {
		for n := risk.First; n <= risk.Last; n++ {
			risked = append(risked, n)
		}
	}
	if !slices.Equal(gone, risked) || len(gone) != 16 {
		t.Errorf("%v are in no file, %v were risked", gone, risked)
	}
}

func regularFiles(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
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
	var content io.Reader = file
	if filepath.Ext(path) == ".gz" {
		if content, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	for lines := bufio.NewScanner(content); lines.Scan(); {
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
