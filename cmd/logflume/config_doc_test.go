package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/configuration.md and the golden files to what the code says")

const (
	referencePage  = "../../docs/configuration.md"
	referenceBegin = "<!-- reference: written by `make docs` from cmd/logflume/config.go -->\n"
	referenceEnd   = "<!-- end of reference -->\n"
)

func TestConfigurationReference(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(referencePage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(page), referenceBegin)
	_, after, ok2 := strings.Cut(rest, referenceEnd)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no lines %q and %q", referencePage, referenceBegin, referenceEnd)
	}
	want := before + referenceBegin + renderReference(t) + referenceEnd + after
	if want == string(page) {
		return
	}
	if !*update {
		t.Fatalf("%s does not say what config.go does: run make docs", referencePage)
	}
	if err := os.WriteFile(referencePage, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// renderReference writes a table for each section, from the comments of the structs and the defaults.
func renderReference(t *testing.T) string {
	t.Helper()
	comments := structComments(t)
	var top strings.Builder
	var section func(b *strings.Builder, path string, v reflect.Value)
	section = func(b *strings.Builder, path string, v reflect.Value) {
		t.Helper()
		rows := ""
		var inner strings.Builder
		for i := range v.NumField() {
			field, value := v.Type().Field(i), v.Field(i)
			key := path + field.Tag.Get("yaml")
			element, isList := elementOf(value)
			if !element.IsValid() {
				rows += renderRow(t, key, value, comments[v.Type().Name()+"."+field.Name])
				continue
			}
			if isList {
				key += "[]"
			}
			fmt.Fprintf(&inner, "\n### `%s`\n\n%s\n", key, comments[element.Type().Name()])
			section(&inner, key+".", element)
		}
		if rows != "" {
			fmt.Fprintf(b, "\n| key | default | environment | meaning |\n|---|---|---|---|\n%s", rows)
		}
		b.WriteString(inner.String())
	}
	section(&top, "", reflect.ValueOf(defaultConfig()).Elem())
	return top.String() + "\n"
}

// elementOf returns the section that value is, or one with defaults if it is a list of sections or a pointer to one; an
// invalid value if it is no section.
func elementOf(value reflect.Value) (element reflect.Value, isList bool) {
	inner := value.Type()
	if isList = inner.Kind() == reflect.Slice; isList || inner.Kind() == reflect.Pointer {
		inner = inner.Elem()
	}
	switch {
	case !isSection(inner):
		return reflect.Value{}, false
	case value.Kind() == reflect.Struct:
		return value, false
	case inner == reflect.TypeFor[kafkaConfig]():
		return reflect.ValueOf(defaultKafka()), isList
	}
	element = reflect.New(inner).Elem()
	if f := element.FieldByName("StartAt"); f.IsValid() {
		f.SetString(startAtBeginning)
	}
	return element, isList
}

func renderRow(t *testing.T, key string, value reflect.Value, comment string) string {
	t.Helper()
	if comment == "" {
		t.Errorf("%s has no comment in config.go", key)
	}
	shown := fmt.Sprintf("`%v`", value)
	switch {
	case value.Kind() == reflect.String && value.Len() == 0,
		value.Kind() == reflect.Slice && value.Len() == 0, value.Kind() == reflect.Map && value.Len() == 0,
		value.Type() == reflect.TypeFor[duration]() && value.IsZero():
		shown = "–"
	}
	variable := "–"
	if settable(value.Type()) && !strings.Contains(key, "[]") {
		variable = "`" + environmentName(key) + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |\n", key, shown, variable, strings.ReplaceAll(comment, "|", `\|`))
}

// structComments returns the comments of the structs in config.go by type name, and of their fields by type.field.
func structComments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	text := func(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
	comments := map[string]string{}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			spec := s.(*ast.TypeSpec)
			comments[spec.Name.Name] = text(g.Doc)
			for _, f := range spec.Type.(*ast.StructType).Fields.List {
				comments[spec.Name.Name+"."+f.Names[0].Name] = text(f.Doc)
			}
		}
	}
	return comments
}
