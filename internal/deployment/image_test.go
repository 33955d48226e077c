package deployment

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/privatepg"
	"logflume/internal/testkit"
)

// imageUser is the user of the Dockerfile.
const imageUser = 65532

// dockerfileLine returns what a line of the Dockerfile says after these words.
func dockerfileLine(t *testing.T, words string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + words + ` (.*)$`).FindStringSubmatch(readFile(t, root+"deploy/Dockerfile"))
	if m == nil {
		t.Fatalf("deploy/Dockerfile has no line %s", words)
	}
	return m[1]
}

// buildImage runs the Dockerfile's command for the program and returns a folder with what the image holds.
func buildImage(t *testing.T) string {
	t.Helper()
	image := t.TempDir()
	program := filepath.Join(image, "logflume")
	command := exec.CommandContext(t.Context(), "sh", "-c",
		strings.Replace(dockerfileLine(t, "RUN CGO_ENABLED=0"), "/out/logflume", program, 1))
	command.Dir, command.Env = root, append(os.Environ(), "CGO_ENABLED=0", "VERSION=v0.0.0-image")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.MkdirAll(filepath.Join(image, "etc/ssl/certs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{image: 0o755, program: 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return image
}

// inImage runs the image's program as the container would: with that folder as its root, as its user, with no environment
// but what is given.
func inImage(t *testing.T, image string, environment []string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "/logflume", args...)
	command.Env, command.Dir = environment, "/"
	command.SysProcAttr = &syscall.SysProcAttr{
		Chroot: image, Credential: &syscall.Credential{Uid: imageUser, Gid: imageUser, NoSetGroups: true}}
	out, err := command.CombinedOutput()
	return string(out), err
}

// The program needs nothing of the image but the authorities to trust: it runs in an otherwise empty root, as nobody, with
// time zones, and speaks TLS with a database whose certificate it verifies.
func TestImageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	if user := dockerfileLine(t, "USER"); user != fmt.Sprintf("%d:%[1]d", imageUser) {
		t.Errorf("the image's user is %s", user)
	}
	image := buildImage(t)
	requireStatic(t, filepath.Join(image, "logflume"))
	if os.Getuid() != 0 {
		t.Skip("only root can run it in a root of its own")
	}
	out, err := inImage(t, image, nil, "version")
	if err != nil || !strings.HasPrefix(out, "logflume v0.0.0-image ") {
		t.Errorf("version: %v, %q", err, out)
	}

	authority := testkit.NewAuthority(t)
	server := startWithTLS(t, authority)
	bundle := strings.Fields(dockerfileLine(t, "COPY --from=build"))[1] // where the image has its authorities
	write(t, image+bundle, authority.PEM)
	url := strings.Replace(server.URL("postgres"), "sslmode=disable", "sslmode=verify-full", 1)
	write(t, image+"/logflume.yaml", "host: image\nparse: {time_zone: Europe/Paris}\n"+
		"database: {url: '${LOG_DATABASE_URL}'}\nsources: [{file: {paths: [/app.log]}}]\n")
	write(t, image+"/app.log", "2026-01-15 10:00:00 ERROR no zone, so that of Paris\n")
	environment := []string{"LOG_DATABASE_URL=" + url}
	for _, args := range [][]string{
		{"migrate"}, {"check", "--config", "/logflume.yaml", "--database"}, {"import", "--config", "/logflume.yaml", "/app.log"},
	} {
		if out, err := inImage(t, image, environment, args...); err != nil {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
	}
	var stored string
	err = testkit.Connect(t, server.URL("postgres")).QueryRow(t.Context(),
		"SELECT to_char(timestamp AT TIME ZONE 'UTC', 'HH24:MI') FROM logs.log_events").Scan(&stored)
	if err != nil || stored != "09:00" {
		t.Errorf("stored at %q, %v", stored, err)
	}

	// What the authorities do not vouch for is refused, so the connection above was verified by them.
	write(t, image+bundle, testkit.NewAuthority(t).PEM)
	if out, err := inImage(t, image, environment, "check", "--config", "/logflume.yaml", "--database", "--wait", "1s"); err == nil {
		t.Errorf("a server that nobody vouches for is trusted:\n%s", out)
	}
}

// requireStatic fails unless a program needs no loader and no library.
func requireStatic(t *testing.T, path string) {
	t.Helper()
	program, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s is linked to libraries of the system", path)
		}
	}
}

// startWithTLS starts a server with a certificate of authority.
func startWithTLS(t *testing.T, authority *testkit.Authority) *privatepg.Server {
	t.Helper()
	server := testkit.Server(t, privatepg.Options{TCP: true})
	certificate, key := authority.Server()
	conn := testkit.Connect(t, server.URL("postgres"))
	info, err := os.Stat(server.Dir)
	if err != nil {
		t.Fatal(err)
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid) // who would not read what others may
	for name, content := range map[string]string{"server.crt": certificate, "server.key": key} {
		path := filepath.Join(server.Dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	for _, statement := range []string{"ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	url := strings.Replace(server.URL("postgres"), "sslmode=disable", "sslmode=require", 1)
	testkit.EventuallyWithin(t, 2*time.Minute, "the server speaks TLS", func() bool {
		conn, err := pgx.Connect(t.Context(), url)
		if err == nil {
			conn.Close(t.Context())
		}
		return err == nil
	})
	return server
}
