package parse

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
)

// An absentNumber is a patch that makes != false when an operand is a number that is absent, as every other comparison
// is by itself: NaN is unequal to all, so a != b becomes a == a and b == b and a != b. Operands that cannot be NaN are
// compared with themselves only where their type is known at run time alone.
type absentNumber struct{}

// Visit implements ast.Visitor.
func (absentNumber) Visit(node *ast.Node) {
	n, ok := (*node).(*ast.BinaryNode)
	if !ok || n.Operator != "!=" {
		return
	}
	var patched ast.Node = n
	for _, operand := range []ast.Node{n.Right, n.Left} {
		if mayBeAbsent(operand) {
			present := &ast.BinaryNode{Operator: "==", Left: operand, Right: operand}
			patched = &ast.BinaryNode{Operator: "and", Left: present, Right: patched}
		}
	}
	if patched != n {
		ast.Patch(node, patched)
	}
}

// mayBeAbsent reports whether node's value may be NaN.
func mayBeAbsent(node ast.Node) bool {
	if _, isNil := node.(*ast.NilNode); isNil || constant(node) {
		return false
	}
	kind := node.Type().Kind()
	return kind == reflect.Float64 || kind == reflect.Interface
}
