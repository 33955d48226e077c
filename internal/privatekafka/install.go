package privatekafka

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	// Version is the release of Kafka that Obtain fetches.
	Version = "4.4.0"

	// copyJars is the goal of Maven that puts a project's dependencies into one folder.
	copyJars = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
)

var (
	//go:embed pom.xml
	pom []byte

	//go:embed log4j2.xml
	logging []byte
)

// An Installation is a Java machine with Kafka's jars.
type Installation struct {
	Java string // the path of the program
	Dir  string // the folder of the jars and of log4j2.xml

	archive string // a file with classes for this Java; "" when there is none
}

// CacheDir returns where the jars are kept: below the user's cache folder. Its last part names what is in it, so that
// a newer list of jars gets a folder of its own.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	content := sha256.Sum256(append(append([]byte{}, pom...), logging...))
	return filepath.Join(dir, "logflume", "kafka", fmt.Sprintf("%s-%x", Version, content[:4])), nil
}

// Obtain returns the installation on this machine. When the jars are not in [CacheDir] yet, Maven copies them there
// from its own repository or fetches them, with a word to log. Its error is a [*NotFoundError] if Java is missing, or
// Maven where it is needed. The first call also prepares a faster start, which takes some seconds.
func Obtain(ctx context.Context, log *slog.Logger) (Installation, error) {
	java, javaVersion, err := findJava(ctx)
	if err != nil {
		return Installation{}, err
	}
	dir, err := CacheDir()
	if err != nil {
		return Installation{}, err
	}
	if _, err := os.Stat(dir); err != nil {
		if err := resolve(ctx, log, dir); err != nil {
			return Installation{}, err
		}
	}
	i := Installation{Java: java, Dir: dir}
	archive := archivePath(dir, javaVersion)
	if _, err := os.Stat(archive); err != nil {
		if err := i.archiveClasses(ctx, archive); err != nil {
			log.Warn("Kafka will start slowly: its classes could not be archived", "error", err)
			return i, ctx.Err()
		}
	}
	i.archive = archive
	return i, nil
}

// resolve has Maven put the jars into folder dir. The folder appears whole or not at all, and several processes may do
// this at once.
func resolve(ctx context.Context, log *slog.Logger, dir string) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return &NotFoundError{Missing: "Maven"}
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	fetched, err := os.MkdirTemp(filepath.Dir(dir), "fetched-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fetched)
	jars := filepath.Join(fetched, "jars")
	if err := os.Mkdir(jars, 0o755); err != nil {
		return err
	}
	project := filepath.Join(fetched, "pom.xml")
	if err := errors.Join(
		os.WriteFile(project, pom, 0o600),
		os.WriteFile(filepath.Join(jars, "log4j2.xml"), logging, 0o600),
	); err != nil {
		return err
	}
	args := []string{
		"--batch-mode", "--quiet", "--file", project, copyJars,
		"-Dkafka=" + Version, "-DincludeScope=runtime", "-DoutputDirectory=" + jars,
	}
	// Without the network first: it fails at once when something is missing.
	if exec.CommandContext(ctx, mvn, append([]string{"--offline"}, args...)...).Run() != nil {
		log.Info("fetching Kafka's jars with Maven, about 45 MB", "version", Version, "folder", dir)
		if out, err := exec.CommandContext(ctx, mvn, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("fetch the jars of Kafka %s: mvn: %w:\n%s", Version, err, strings.TrimSpace(string(out)))
		}
	}
	if err := os.Rename(jars, dir); err != nil && !errors.Is(err, os.ErrExist) { // another process was faster
		return err
	}
	return nil
}

// command returns the command line that runs a Java program, a class or a source file, with these options of the Java
// machine. A small heap, and only the first compiler: starting fast is worth more here than running fast for long.
func (i Installation) command(options []string, program string, args ...string) []string {
	line := []string{
		i.Java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
		"-Dlog4j2.configurationFile=" + filepath.Join(i.Dir, "log4j2.xml"),
		"-cp", filepath.Join(i.Dir, "*"),
	}
	if i.archive != "" {
		line = append(line, "-XX:SharedArchiveFile="+i.archive, "-Xlog:disable") // no word when it does not fit after all
	}
	return append(append(append(line, options...), program), args...)
}
