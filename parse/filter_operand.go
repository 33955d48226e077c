package parse

import (
	"net/netip"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// A text and a number are operands of comparisons.
type (
	text   func(*evaluation) string
	number func(*evaluation) float64
)

// textOf returns the operand that node is, nil if it is none.
func textOf(node ast.Node) text {
	switch n := node.(type) {
	case *ast.StringNode:
		value := n.Value
		return func(*evaluation) string { return value }
	case *ast.IdentifierNode:
		if get := texts[n.Value]; get != nil {
			return func(s *evaluation) string { return get(s.event) }
		}
	}
	return nil
}

// numberOf returns the operand that node is, nil if it is none.
func numberOf(node ast.Node) number {
	switch n := node.(type) {
	case *ast.IntegerNode:
		value := float64(n.Value)
		return func(*evaluation) float64 { return value }
	case *ast.FloatNode:
		value := n.Value
		return func(*evaluation) float64 { return value }
	case *ast.UnaryNode:
		if inner := numberOf(n.Node); inner != nil && n.Operator == "-" {
			return func(s *evaluation) float64 { return -inner(s) }
		}
	case *ast.IdentifierNode:
		if get := numbers[n.Value]; get != nil {
			return func(s *evaluation) float64 { return get(s.event) }
		}
	}
	return nil
}

// constant reports whether node is a text or a number as written.
func constant(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode:
		return true
	case *ast.UnaryNode:
		return constant(n.Node)
	}
	return false
}

// textList returns the elements of an array of constant texts.
func textList(node ast.Node) (list []string, ok bool) {
	array, ok := node.(*ast.ArrayNode)
	if !ok {
		return nil, false
	}
	for _, element := range array.Nodes {
		s, ok := element.(*ast.StringNode)
		if !ok {
			return nil, false
		}
		list = append(list, s.Value)
	}
	return list, true
}

// numberList returns the elements of an array of constant numbers.
func numberList(node ast.Node) (list []float64, ok bool) {
	array, ok := node.(*ast.ArrayNode)
	if !ok || len(array.Nodes) == 0 {
		return nil, false
	}
	for _, element := range array.Nodes {
		n := numberOf(element)
		if n == nil || !constant(element) {
			return nil, false
		}
		list = append(list, n(nil))
	}
	return list, true
}

// numberRange returns the ends of a range of constants, as in status in 500..599.
func numberRange(node ast.Node) (from, to float64, ok bool) {
	n, ok := node.(*ast.BinaryNode)
	if !ok || n.Operator != ".." || !constant(n.Left) || !constant(n.Right) {
		return 0, 0, false
	}
	left, right := numberOf(n.Left), numberOf(n.Right)
	if left == nil || right == nil {
		return 0, 0, false
	}
	return left(nil), right(nil), true
}

// compareAddress compares client_ip with constant addresses, sparing the making of its text. It returns nil if the
// comparison is something else.
func compareAddress(left ast.Node, operator string, right ast.Node) test {
	if name, ok := left.(*ast.IdentifierNode); !ok || name.Value != "client_ip" {
		return nil
	}
	written, ok := textList(right)
	if s, isText := right.(*ast.StringNode); isText && (operator == "==" || operator == "!=") {
		written = []string{s.Value}
	} else if !ok || operator != "in" {
		return nil
	}
	var list []netip.Addr
	for _, w := range written {
		a, err := netip.ParseAddr(w)
		if err != nil || a.String() != w {
			return nil
		}
		list = append(list, a)
	}
	if operator == "!=" {
		return func(s *evaluation) bool { return s.event.ClientIP != list[0] }
	}
	return func(s *evaluation) bool { return slices.Contains(list, s.event.ClientIP) }
}
