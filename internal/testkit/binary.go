package testkit

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A program is something that is built once.
type program struct {
	once sync.Once
	path string
	err  error
}

// Binary returns the path of the program ./cmd/logflume, built with these build tags, once in a run of the test binary.
func Binary(t testing.TB, tags ...string) string {
	t.Helper()
	return build(t, "./cmd/logflume", "-tags="+strings.Join(tags, ","))
}

// Program returns the path of the program in a package of this module, given from its root, as [Binary] does.
func Program(t testing.TB, pkg string) string {
	t.Helper()
	return build(t, pkg)
}

func build(t testing.TB, pkg string, flags ...string) string {
	t.Helper()
	key := strings.Join(append(flags, pkg), " ")
	shared.mu.Lock()
	if shared.binaries == nil {
		shared.binaries = map[string]*program{}
	}
	b := shared.binaries[key]
	if b == nil {
		b = &program{}
		shared.binaries[key] = b
	}
	shared.mu.Unlock()
	b.once.Do(func() { b.path, b.err = goBuild(pkg, flags) })
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}

// goBuild builds a package into a directory that [Main] removes.
func goBuild(pkg string, flags []string) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "logflume-build-")
	if err != nil {
		return "", err
	}
	shared.mu.Lock()
	cleanups = append(cleanups, func() error { return os.RemoveAll(dir) })
	shared.mu.Unlock()
	path := filepath.Join(dir, filepath.Base(pkg))
	args := append([]string{"build", "-o", path}, flags...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.New("go " + strings.Join(append(args, pkg), " ") + ": " + err.Error() + "\n" + string(out))
	}
	return path, nil
}

// moduleRoot returns the directory of go.mod; tests run in the directory of their package.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
}
