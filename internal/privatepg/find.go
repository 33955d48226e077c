package privatepg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	oldest = 14
	newest = 18
)

// BinVariable names the environment variable that says which server programs to use.
const BinVariable = "LOGFLUME_POSTGRES_BIN"

// folders are where packages put server programs, %d being the major version.
var folders = []string{
	"/usr/lib/postgresql/%d/bin",          // Debian, Ubuntu
	"/usr/pgsql-%d/bin",                   // packages of postgresql.org for Red Hat and SUSE
	"/usr/lib/postgresql%d/bin",           // SUSE
	"/usr/libexec/postgresql%d",           // Alpine
	"/opt/homebrew/opt/postgresql@%d/bin", // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@%d/bin",    // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql@%d/bin",
	"/opt/local/lib/postgresql%d/bin", // MacPorts
	"/Library/PostgreSQL/%d/bin",      // the EDB installer
	"/Applications/Postgres.app/Contents/Versions/%d/bin",
}

// unversioned are folders whose version shows only when asked.
var unversioned = []string{
	"/usr/local/pgsql/bin", // make install
	"/opt/homebrew/opt/postgresql/bin",
	"/usr/local/opt/postgresql/bin",
	"/usr/lib/postgresql/bin",
	"/usr/libexec/postgresql",
}

// An Installation is a folder with the programs of a PostgreSQL server.
type Installation struct {
	Bin     string // the folder that holds initdb and postgres
	Version string // as the server states it: "15.18", "18beta1"
	Major   int
}

// NotFoundError says that no usable PostgreSQL server is on this machine, and what to install.
type NotFoundError struct {
	Unusable error // the installations that were found but do not serve, joined; nil when there was none
}

func (e *NotFoundError) Error() string {
	message := fmt.Sprintf("no PostgreSQL server (version %d to %d) found: install one "+
		"(apt-get install postgresql, dnf install postgresql-server, brew install postgresql@%d) or set %s to its bin folder",
		oldest, newest, newest, BinVariable)
	if e.Unusable != nil {
		message += "; not usable: " + strings.ReplaceAll(e.Unusable.Error(), "\n", ", ")
	}
	return message
}

func (e *NotFoundError) Unwrap() error { return e.Unusable }

// Find looks for server programs of version 14 to 18: in the folder that LOGFLUME_POSTGRES_BIN names, and if it names
// none, on PATH, in the usual folders of packages, newest first, and where [InstallNPM] puts them by default. Its error
// is a [*NotFoundError] unless LOGFLUME_POSTGRES_BIN names something unusable.
func Find() (Installation, error) {
	if bin := os.Getenv(BinVariable); bin != "" {
		installation, err := Inspect(bin)
		if err != nil {
			return Installation{}, fmt.Errorf("%s: %w", BinVariable, err)
		}
		return installation, nil
	}
	var unusable []error
	for _, bin := range candidates() {
		installation, err := Inspect(bin)
		if err == nil {
			return installation, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			unusable = append(unusable, err)
		}
	}
	return Installation{}, &NotFoundError{Unusable: errors.Join(unusable...)}
}

// candidates returns the folders to try, in order, each once.
func candidates() []string {
	var bins []string
	add := func(bin string) {
		if !slices.Contains(bins, bin) {
			bins = append(bins, bin)
		}
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		// A link on PATH leads to the folder where postgres and its libraries are.
		if initdb, err := filepath.EvalSymlinks(filepath.Join(dir, "initdb")); err == nil {
			add(filepath.Dir(initdb))
		}
	}
	for major := newest; major >= oldest; major-- {
		for _, folder := range folders {
			add(fmt.Sprintf(folder, major))
		}
	}
	for _, folder := range unversioned {
		add(folder)
	}
	if dir, err := CacheDir(); err == nil {
		add(npmBin(dir))
	}
	return bins
}

// Inspect returns the installation in folder bin. The error wraps [os.ErrNotExist] when there is none.
func Inspect(bin string) (Installation, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return Installation{}, err
	}
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(bin, program)); err != nil {
			return Installation{}, err
		}
	}
	out, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return Installation{}, fmt.Errorf("ask %s/postgres for its version: %w", bin, err)
	}
	version, major, err := parseVersion(string(out))
	if err != nil {
		return Installation{}, fmt.Errorf("%s/postgres: %w", bin, err)
	}
	if major < oldest || major > newest {
		return Installation{}, fmt.Errorf("%s has version %s", bin, version)
	}
	return Installation{Bin: bin, Version: version, Major: major}, nil
}

// parseVersion reads what postgres --version prints: "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
func parseVersion(line string) (version string, major int, err error) {
	_, rest, ok := strings.Cut(line, "(PostgreSQL) ")
	if fields := strings.Fields(rest); ok && len(fields) > 0 {
		version = fields[0]
		digits := strings.IndexFunc(version+" ", func(r rune) bool { return r < '0' || r > '9' })
		if major, err = strconv.Atoi(version[:digits]); err == nil {
			return version, major, nil
		}
	}
	return "", 0, fmt.Errorf("no version in %q", strings.TrimSpace(line))
}

func (i Installation) program(name string) string { return filepath.Join(i.Bin, name) }
