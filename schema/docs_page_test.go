package schema_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A docTable is a table of the page: the headings above it, and its cells without those of its header.
type docTable struct {
	under, header string // under is the last heading; header its first cell
	rows          [][]string
}

// A docPage is the page taken apart.
type docPage struct {
	headings []string
	tables   []docTable
	queries  []string // statements of the sql blocks
	examples []string // statements that stand in the text
}

var (
	codeSpan  = regexp.MustCompile("`([^`]+)`")
	signature = regexp.MustCompile(`^(\w+)\((.*)\)$`)
	argument  = regexp.MustCompile(`(\w+)( => ('[^']*'|[^',]+))?(, |$)`)
)

func readPage(t *testing.T) docPage {
	t.Helper()
	text, err := os.ReadFile(databasePage)
	if err != nil {
		t.Fatal(err)
	}
	var page docPage
	var block *strings.Builder
	heading, inTable := "", false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		isRow := block == nil && strings.HasPrefix(line, "|")
		switch {
		case strings.HasPrefix(line, "```") && block == nil:
			if line != "```sql" {
				t.Fatalf("a block of %s, which no test runs", line)
			}
			block = &strings.Builder{}
		case line == "```":
			page.queries = append(page.queries, strings.Split(strings.TrimSpace(block.String()), ";")...)
			block = nil
		case block != nil:
			block.WriteString(line + "\n")
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimLeft(line, "# ")
			page.headings = append(page.headings, heading)
		case isRow && !inTable:
			page.tables = append(page.tables, docTable{under: heading, header: cells(line)[0]})
		case isRow && !strings.HasPrefix(line, "|---"):
			last := &page.tables[len(page.tables)-1]
			last.rows = append(last.rows, cells(line))
		}
		inTable = isRow
		if block == nil {
			for _, span := range spans(line) {
				if strings.HasPrefix(span, "SELECT ") {
					page.examples = append(page.examples, span)
				}
			}
		}
	}
	page.queries = slices.DeleteFunc(page.queries, func(q string) bool { return strings.TrimSpace(q) == "" })
	return page
}

func cells(row string) []string {
	all := strings.Split(strings.Trim(row, "|"), "|")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// spans returns what stands in the text as code.
func spans(text string) (all []string) {
	for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// under returns the code in the first cells of the tables with that header, below headings that begin with heading.
func (p *docPage) under(heading, header string) (names []string) {
	for _, table := range p.tables {
		if table.header == header && strings.HasPrefix(table.under, heading) {
			for _, row := range table.rows {
				names = append(names, spans(row[0])...)
			}
		}
	}
	return names
}

// columns returns the columns that the page describes of a table: name, type, and – if it is never NULL.
func (p *docPage) columns(t *testing.T, name string) (all []string) {
	t.Helper()
	for _, table := range p.tables {
		if table.header != "column" || table.under != "`"+name+"`" {
			continue
		}
		for _, row := range table.rows {
			if len(row) != 4 {
				t.Fatalf("%s: row %q has not four cells", name, row)
			}
			described := strings.Trim(row[0], "`") + " " + row[1]
			if row[2] == "–" {
				described += " –"
			}
			all = append(all, described)
		}
	}
	return all
}

// functions returns the arguments of the functions that headings and the first cells of the table of calls describe,
// each with " =>" if it is said to have a default.
func (p *docPage) functions() map[string][]string {
	described := map[string][]string{}
	add := func(text string) {
		for _, span := range spans(text) {
			if m := signature.FindStringSubmatch(span); m != nil {
				described[m[1]] = []string{}
				for _, a := range argument.FindAllStringSubmatch(m[2], -1) {
					name := a[1]
					if a[2] != "" {
						name += " =>"
					}
					described[m[1]] = append(described[m[1]], name)
				}
			}
		}
	}
	for _, heading := range p.headings {
		add(heading)
	}
	for _, table := range p.tables {
		if table.header == "call" {
			for _, row := range table.rows {
				add(row[0])
			}
		}
	}
	return described
}
