package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A configFile is a configuration and where each of its values comes from, so that whoever finds a value wrong can say
// where it stands.
type configFile struct {
	*config
	path   string // as given; "" when there is no file
	source []byte
	tokens map[string]*token.Token // key → its value in the file
	env    map[string]string       // key → environment variable that set it

	problems configError // found so far
}

// loadConfig reads the file at path ("" for none), applies the environment, and validates. environ is a list of
// NAME=value, as [os.Environ] returns. Errors about contents are a [configError], which has all that is wrong: what cannot
// be decoded is left at its default and not looked at again.
func loadConfig(path string, environ []string) (*configFile, error) {
	f := &configFile{config: defaultConfig(), path: path, tokens: map[string]*token.Token{}, env: map[string]string{}}
	if path != "" {
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, configError{{place: path, what: fmt.Sprintf("cannot read the configuration: %v", errors.Unwrap(err))}}
		}
		f.source = source
		if err := f.decode(environ); err != nil {
			return nil, err
		}
	}
	f.applyEnvironment(environ)
	for i := range f.Sources {
		if s := f.Sources[i].File; s != nil && s.StartAt == "" {
			s.StartAt = startAtBeginning
		}
		if s := f.Sources[i].Kafka; s != nil {
			s.complete()
		}
	}
	f.problems = append(f.problems, f.validate()...)
	if len(f.problems) > 0 {
		w := &wiring{config: f}
		return nil, append(f.problems, w.compile()...)
	}
	return f, nil
}

// problem describes what is wrong with the value of key.
func (f *configFile) problem(key, what string) problem {
	p := problem{place: f.path, key: key, what: what}
	if name, ok := f.env[key]; ok {
		p.place = "environment variable " + name
		return p
	}
	// A key that is absent is shown at the closest one around it.
	for at := key; at != ""; at = parentKey(at) {
		if t, ok := f.tokens[at]; ok {
			return f.problemAt(t, key, what)
		}
	}
	if p.place == "" {
		p.place = "configuration"
	}
	return p
}

func (f *configFile) problemAt(t *token.Token, key, what string) problem {
	line, column := t.Position.Line, t.Position.Column
	return problem{
		place: fmt.Sprintf("%s:%d:%d", f.path, line, column), key: key, what: what,
		snippet: snippet(f.source, line, column),
	}
}

// parentKey cuts the last element off a key.
func parentKey(key string) string {
	return key[:max(strings.LastIndexAny(key, ".["), 0)]
}

// decode reads the source into f. It returns an error when what is wrong with it keeps it from being read any further;
// other problems it notes.
func (f *configFile) decode(environ []string) error {
	file, err := parser.ParseBytes(f.source, 0)
	if err != nil {
		return configError{f.decodeProblem(err)}
	}
	if len(file.Docs) > 1 {
		return configError{f.problemAt(file.Docs[1].GetToken(), "", "a configuration is one YAML document: remove the second")}
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil
	}
	body := file.Docs[0].Body
	if body.Type() == ast.NullType || body.Type() == ast.CommentGroupType {
		return nil
	}
	ast.Walk(&nodeVisitor{file: f, lookup: lookupIn(environ)}, body)
	// The library stops at the first value that does not fit.
	for {
		err := yaml.NodeToValue(body, f.config, yaml.Strict())
		if err == nil {
			return nil
		}
		p := f.decodeProblem(err)
		if !f.wrong(p.key) {
			f.problems = append(f.problems, p)
		}
		if !removeKey(body, p.key) {
			return f.problems
		}
		*f.config = *defaultConfig()
	}
}

// A nodeVisitor prepares a parsed file for decoding: it notes where values stand, refuses unknown keys, expands ${NAME}
// in texts, and takes out unknown keys and those without a value, so that a section whose keys are all commented out
// keeps its defaults.
type nodeVisitor struct {
	file   *configFile
	lookup func(name string) (string, bool)
}

func (v *nodeVisitor) Visit(node ast.Node) ast.Visitor {
	switch n := node.(type) {
	case *ast.MappingNode:
		v.checkKeys(n)
		n.Values = slices.DeleteFunc(n.Values, func(m *ast.MappingValueNode) bool { return m.Value.Type() == ast.NullType })
	case *ast.MappingValueNode:
		// A block is shown at its key, a single value or a list in brackets where it begins itself.
		at := n.Value.GetToken()
		if n.Value.GetToken().Position.Line != n.Key.GetToken().Position.Line {
			at = n.Key.GetToken()
		}
		v.file.tokens[nodeKey(n.Value)] = at
		ast.Walk(v, n.Value) // only the value: keys are texts too
		return nil
	case *ast.StringNode:
		v.expand(n)
	}
	if key := nodeKey(node); v.file.tokens[key] == nil && key != "" {
		v.file.tokens[key] = node.GetToken()
	}
	return v
}

// checkKeys refuses keys of n that do not exist, and takes them out.
func (v *nodeVisitor) checkKeys(n *ast.MappingNode) {
	section := nodeKey(n)
	known := keysOf(section)
	if known == nil {
		return
	}
	n.Values = slices.DeleteFunc(n.Values, func(m *ast.MappingValueNode) bool {
		name := m.Key.GetToken().Value
		if slices.Contains(known, name) || m.Key.IsMergeKey() {
			return false
		}
		key := strings.TrimPrefix(section+"."+name, ".")
		what, ok := unavailable[anyIndex(key)]
		if !ok {
			what = "no such key: " + didYouMean(name, known)
		}
		v.file.problems = append(v.file.problems, v.file.problemAt(m.Key.GetToken(), key, what))
		return true
	})
}

var reference = regexp.MustCompile(`\$\$\{|\$\{[^}]*\}?`)

// expand replaces ${NAME} by the environment variable of that name, and $${ by ${.
func (v *nodeVisitor) expand(n *ast.StringNode) {
	n.Value = reference.ReplaceAllStringFunc(n.Value, func(ref string) string {
		if ref == "$${" {
			return "${"
		}
		name := strings.TrimSuffix(strings.TrimPrefix(ref, "${"), "}")
		value, ok := v.lookup(name)
		if !ok {
			v.file.problems = append(v.file.problems, v.file.problemAt(n.GetToken(), nodeKey(n),
				fmt.Sprintf("environment variable %s is not set: set it, or write $${ for a plain ${", name)))
		}
		return value
	})
}

func lookupIn(environ []string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, e := range environ {
			if value, ok := strings.CutPrefix(e, name+"="); ok && name != "" {
				return value, true
			}
		}
		return "", false
	}
}

// nodeKey returns the path of a node as users write it: "$.flush.rows" is flush.rows.
func nodeKey(n ast.Node) string {
	return strings.TrimPrefix(strings.TrimPrefix(n.GetPath(), "$"), ".")
}

// decodeProblem translates an error of the YAML library.
func (f *configFile) decodeProblem(err error) problem {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return problem{place: f.path, what: err.Error()}
	}
	t := at.GetToken()
	key, what := f.keyOf(t), at.GetMessage()

	var wrongType *yaml.TypeError
	var wrongNode *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &wrongType):
		what = "needs " + kindName(wrongType.DstType)
	case errors.As(err, &wrongNode):
		what = "needs " + map[ast.NodeType]string{
			ast.MappingType: "a mapping of keys to values", ast.SequenceType: "a list",
		}[wrongNode.Expected]
	}
	return f.problemAt(t, key, what)
}

// keyOf returns the key whose value begins at t.
func (f *configFile) keyOf(t *token.Token) string {
	longest := ""
	for key, at := range f.tokens {
		if at == t && len(key) > len(longest) {
			longest = key
		}
	}
	return longest
}
