package main

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// What is wrong with one value is no reason to be silent about the next. A value that cannot be read is taken out, and
// nothing is said of the default that is then in its place, nor of others in comparison with it.

// wrong reports whether something is known to be wrong with key, with what it is in, or with what is in it.
func (f *configFile) wrong(key string) bool {
	return slices.ContainsFunc(f.problems, func(p problem) bool {
		return p.key != "" && (isIn(p.key, key) || isIn(key, p.key))
	})
}

// isIn reports whether key is section, or in it.
func isIn(key, section string) bool {
	rest, ok := strings.CutPrefix(key, section)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// removeKey takes the key out of body, or the closest around it that can be: an element of a list cannot, as those after
// it would have another key then. It reports whether there was something to take out.
func removeKey(body ast.Node, key string) bool {
	for at := key; at != ""; at = parentKey(at) {
		r := &keyRemover{key: at}
		if ast.Walk(r, body); r.done {
			return true
		}
	}
	return false
}

// A keyRemover takes one key out of the mapping that has it.
type keyRemover struct {
	key  string
	done bool
}

func (r *keyRemover) Visit(node ast.Node) ast.Visitor {
	if n, ok := node.(*ast.MappingNode); ok {
		before := len(n.Values)
		n.Values = slices.DeleteFunc(n.Values, func(m *ast.MappingValueNode) bool { return nodeKey(m.Value) == r.key })
		r.done = r.done || len(n.Values) < before
	}
	if r.done {
		return nil
	}
	return r
}
