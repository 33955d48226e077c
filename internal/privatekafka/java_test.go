package privatekafka

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseJavaVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`openjdk version "17.0.15" 2025-04-15`:                             17,
		`openjdk version "25" 2025-09-16`:                                  25,
		`java version "1.8.0_392"`:                                         8,
		"Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version \"21-ea\"\n": 21,
		`openjdk version ""`:                                               0,
		"":                                                                 0,
	} {
		if got, err := parseJavaVersion(text); got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}

// script puts a program into a folder.
func script(t *testing.T, path, body string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// Where something is missing the error says what, what was found instead, and how to get it.
func TestObtainSaysWhatIsMissing(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("JAVA_HOME", "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	expect := func(wants ...string) {
		t.Helper()
		_, err := Obtain(t.Context(), slog.New(slog.DiscardHandler))
		if _, ok := errors.AsType[*NotFoundError](err); !ok {
			t.Fatalf("got %v", err)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %v", err)
		}
		for _, want := range append(wants, "tools/setup.sh java", "apt-get install default-jdk-headless maven") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("no %q in %v", want, err)
			}
		}
	}
	expect("no Java 17 or newer found")
	script(t, filepath.Join(bin, "java"), `echo 'openjdk version "11.0.2"' >&2`)
	expect("no Java 17 or newer found", bin+"/java has version 11")
	home := t.TempDir()
	t.Setenv("JAVA_HOME", home)
	expect("no Java 17 or newer found", bin+"/java has version 11")
	script(t, filepath.Join(home, "bin", "java"), `echo 'openjdk version "17.0.15"' >&2`)
	expect("no Maven found")
}

// What Maven could not fetch is not taken for an installation, and its words are passed on.
func TestObtainFetchFails(t *testing.T) {
	bin, cache := t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("JAVA_HOME", "")
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	script(t, filepath.Join(bin, "java"), `echo 'openjdk version "17.0.15"' >&2`)
	script(t, filepath.Join(bin, "mvn"), `
while [ "$1" != --file ]; do shift; done
echo half >"$(dirname "$2")/jars/half.jar"
echo no route to host
exit 1`)
	for range 2 {
		_, err := Obtain(t.Context(), slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "no route to host") {
			t.Errorf("got %v", err)
		}
	}
	dir, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Where classes cannot be archived, nodes start without.
func TestObtainWithoutArchive(t *testing.T) {
	bin, cache := t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("JAVA_HOME", "")
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	script(t, filepath.Join(bin, "java"), `[ "$1" = -version ] || exit 1; echo 'openjdk version "17.0.15"' >&2`)
	script(t, filepath.Join(bin, "mvn"), "exit 0")
	i, err := Obtain(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil || i.archive != "" || i.Java != filepath.Join(bin, "java") {
		t.Errorf("%+v, %v", i, err)
	}
}
