package deployment

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"logflume/internal/testkit"
	"logflume/schema"
)

// example returns a configuration of deploy/ as it would stand at its place.
func example(t *testing.T, path string) string {
	t.Helper()
	text := readFile(t, root+"deploy/"+path)
	if filepath.Base(path) != "configmap.yaml" {
		return text
	}
	var configMap struct{ Data map[string]string }
	if err := yaml.Unmarshal([]byte(text), &configMap); err != nil {
		t.Fatal(err)
	}
	return configMap.Data["logflume.yaml"]
}

// Each example is a configuration that the program takes, with a warning at most, also after what its comments offer.
func TestExamplesPassTheCheck(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"logflume.yaml", "compose/logflume.yaml", "kubernetes/configmap.yaml"} {
		config := filepath.Join(t.TempDir(), "logflume.yaml")
		write(t, config, example(t, path))
		command := exec.CommandContext(t.Context(), testkit.Binary(t), "check", "--config", config)
		command.Env = []string{"LOG_DATABASE_URL=postgres://log_writer:p@db.example.com/app", "LOGFLUME_HOST=node-7", "PATH=" + os.Getenv("PATH")}
		if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), "ok    configuration") {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
	}
}

// The service of the composition logs what logflume takes without a dead letter, and rotates as it says.
func TestSampleServiceIsRead(t *testing.T) {
	t.Parallel()
	db, dir := testkit.Postgres(t), t.TempDir()
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "shop.log")
	if out, err := exec.CommandContext(t.Context(), "sh", root+"deploy/compose/sample.sh", log, "5100").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := exec.CommandContext(t.Context(), testkit.Binary(t), "import", "--database-url", db.URL, log, log+".1")
	command.Env = []string{"LOGFLUME_DATABASE_SCHEMA=" + db.Schema, "PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var kept, dead, rows, errors, slow int
	err := db.Connect(t).QueryRow(t.Context(), fmt.Sprintf(`SELECT sum(kept)::int, sum(dead)::int, (SELECT count(*) FROM %[1]s.log_events),
		(SELECT count(*) FROM %[1]s.log_events WHERE level = 'ERROR'), (SELECT count(*) FROM %[1]s.log_events WHERE slow)
		FROM %[1]s.source_ledger`, db.Schema)).Scan(&kept, &dead, &rows, &errors, &slow)
	if err != nil || kept != 5100 || dead != 0 || rows != 5100 || errors < 50 || slow < 50 {
		t.Errorf("%d kept, %d dead, %d rows, %d errors, %d slow: %v", kept, dead, rows, errors, slow, err)
	}
}

// The files that compose.yaml mounts are there, and the variables that Grafana's provisioning reads are set in it.
func TestCompositionFitsItsFiles(t *testing.T) {
	t.Parallel()
	var composition struct {
		Services map[string]struct {
			Volumes     []string
			Environment map[string]string
		}
	}
	if err := yaml.Unmarshal([]byte(readFile(t, root+"deploy/compose.yaml")), &composition); err != nil {
		t.Fatal(err)
	}
	mounted := 0
	for name, service := range composition.Services {
		for _, volume := range service.Volumes {
			if source, _, _ := strings.Cut(volume, ":"); strings.HasPrefix(source, "./") {
				mounted++
				if _, err := os.Stat(root + "deploy/" + source); err != nil {
					t.Errorf("%s mounts what is not there: %v", name, err)
				}
			}
		}
	}
	if mounted < 6 {
		t.Errorf("only %d mounts were found", mounted)
	}
	provisioned := readFile(t, root+"deploy/grafana/provisioning/datasources/logflume.yaml")
	page := readFile(t, root+"docs/deploy.md")
	for _, m := range regexp.MustCompile(`: \$\{(\w+)\}`).FindAllStringSubmatch(provisioned, -1) {
		if composition.Services["grafana"].Environment[m[1]] == "" || !strings.Contains(page, "`"+m[1]) ||
			!strings.Contains(provisioned, "#   "+m[1]) {
			t.Errorf("%s is not set in compose.yaml, or not described", m[1])
		}
	}
	var provider struct {
		Providers []struct{ Options struct{ Path string } }
	}
	text := readFile(t, root+"deploy/grafana/provisioning/dashboards/logflume.yaml")
	if err := yaml.Unmarshal([]byte(text), &provider); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(composition.Services["grafana"].Volumes, "./grafana/dashboards:"+provider.Providers[0].Options.Path+":ro") {
		t.Errorf("compose.yaml mounts no dashboards at %s", provider.Providers[0].Options.Path)
	}
}

// Passwords that the composition sets are those of the roles, whatever characters are in them.
func TestPasswordsAreSet(t *testing.T) {
	t.Parallel()
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Skip(err)
	}
	db := testkit.Postgres(t)
	if _, _, err := schema.Migrate(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	if err := schema.Roles(t.Context(), db.URL, db.Schema); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), psql, db.URL, "--set=ON_ERROR_STOP=1", "--echo-queries", "--file="+root+"deploy/compose/passwords.sql")
	command.Env = []string{"LOG_WRITER_PASSWORD=it's", "LOG_READER_PASSWORD=\"", "PATH=" + os.Getenv("PATH")}
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `ALTER ROLE log_writer PASSWORD 'it''s'`) || !strings.Contains(string(out), `log_reader PASSWORD '"'`) {
		t.Errorf("%v\n%s", err, out)
	}
}
