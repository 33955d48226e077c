package privatekafka

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// oldestJava is the first major version that Kafka's servers run on.
const oldestJava = 17

// A NotFoundError says what a broker needs and this machine does not have, and what to install.
type NotFoundError struct {
	Missing  string // "Java 17 or newer"
	Unusable error  // what was found instead; nil when there was nothing
}

func (e *NotFoundError) Error() string {
	message := "no " + e.Missing + " found for a Kafka broker: run tools/setup.sh java, or install it " +
		"(apt-get install default-jdk-headless maven, dnf install java-latest-openjdk-devel maven, brew install openjdk maven)"
	if e.Unusable != nil {
		message += "; not usable: " + strings.ReplaceAll(e.Unusable.Error(), "\n", ", ")
	}
	return message
}

func (e *NotFoundError) Unwrap() error { return e.Unusable }

// findJava returns the path of a java program that is new enough, JAVA_HOME's, else the one on PATH, and what it states
// to be.
func findJava(ctx context.Context) (java, version string, err error) {
	var unusable []error
	candidates := []string{"java"}
	if home := os.Getenv("JAVA_HOME"); home != "" {
		candidates = []string{filepath.Join(home, "bin", "java"), "java"}
	}
	for _, candidate := range candidates {
		java, err := exec.LookPath(candidate)
		if err == nil {
			version, err = checkJava(ctx, java)
		}
		if err == nil {
			return java, version, nil
		}
		if ctx.Err() != nil {
			return "", "", ctx.Err()
		}
		if !errors.Is(err, exec.ErrNotFound) {
			unusable = append(unusable, err)
		}
	}
	return "", "", &NotFoundError{Missing: fmt.Sprintf("Java %d or newer", oldestJava), Unusable: errors.Join(unusable...)}
}

// checkJava asks a java program for its version and returns all that it says.
func checkJava(ctx context.Context, java string) (version string, err error) {
	out, err := exec.CommandContext(ctx, java, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", java, err)
	}
	major, err := parseJavaVersion(string(out))
	if err != nil {
		return "", fmt.Errorf("%s: %w", java, err)
	}
	if major < oldestJava {
		return "", fmt.Errorf("%s has version %d", java, major)
	}
	return string(out), nil
}

// parseJavaVersion reads what java -version prints, `openjdk version "17.0.15" 2025-04-15`, perhaps after other lines.
// Up to 8 the major version is the second number: "1.8.0_392".
func parseJavaVersion(text string) (int, error) {
	_, rest, _ := strings.Cut(text, ` version "`)
	version, _, _ := strings.Cut(rest, `"`)
	numbers := strings.FieldsFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if len(numbers) > 1 && numbers[0] == "1" {
		numbers = numbers[1:]
	}
	if len(numbers) == 0 {
		return 0, fmt.Errorf("no version in %q", strings.TrimSpace(text))
	}
	return strconv.Atoi(numbers[0])
}
