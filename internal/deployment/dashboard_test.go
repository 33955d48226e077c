package deployment

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

const dashboardsDir = root + "deploy/grafana/dashboards"

// A dashboard is what these tests look at of Grafana's JSON.
type dashboard struct {
	UID, Title, Description string
	SchemaVersion           int
	Panels                  []panel
	Templating              struct{ List []variable }
	Annotations             struct{ List []annotation }
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Interval                 string // the least step
	MaxDataPoints            int
	Datasource               datasource
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []target
	FieldConfig              struct {
		Defaults  struct{ Unit, NoValue string }
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
}

type datasource struct{ Type, UID string }

// A target is one question: SQL or PromQL.
type target struct {
	RefID, RawSQL, Format, Expr string
	Datasource                  datasource
}

type variable struct {
	Name, Type, AllValue string
	Query                any // a text, or an object of the data source
	Datasource           datasource
}

type annotation struct {
	Name   string
	Target target
}

// A link is what a click on a cell leads to.
type link struct{ Title, URL string }

// links returns the data links of the panel's columns.
func (p *panel) links(t *testing.T) (all []link) {
	t.Helper()
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if property.ID == "links" {
				var links []link
				if err := json.Unmarshal(property.Value, &links); err != nil {
					t.Fatal(err)
				}
				all = append(all, links...)
			}
		}
	}
	return all
}

// dashboards returns all of deploy/grafana/dashboards, by their files' names.
func dashboards(t *testing.T) map[string]*dashboard {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dashboardsDir, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d dashboards, %v", len(paths), err)
	}
	all := map[string]*dashboard{}
	for _, path := range paths {
		d := &dashboard{}
		if err := json.Unmarshal([]byte(readFile(t, path)), d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".json")] = d
	}
	return all
}
