package parse

import (
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/tidwall/gjson"

	"logflume/pipeline"
)

// An attribute is an operand out of attrs. Its type is that of the value that the line has; absent ones are null.
type attribute func(*evaluation) gjson.Result

// attributeOf returns the operand that attrs.a.b, attrs["a"] or attr("a.b") is, nil if node is something else.
func attributeOf(node ast.Node) attribute {
	path, ok := memberPath(node)
	if call, isCall := node.(*ast.CallNode); isCall && len(call.Arguments) == 1 {
		callee, isName := call.Callee.(*ast.IdentifierNode)
		argument, isText := call.Arguments[0].(*ast.StringNode)
		if ok = isName && isText && callee.Value == "attr"; ok {
			path = argument.Value
		}
	}
	if !ok {
		return nil
	}
	return func(s *evaluation) gjson.Result { return gjson.Get(pipeline.String(s.event.Attrs), path) }
}

// memberPath returns the path of gjson that a chain of members of attrs stands for.
func memberPath(node ast.Node) (path string, ok bool) {
	var parts []string
	for {
		switch n := node.(type) {
		case *ast.ChainNode:
			node = n.Node
		case *ast.MemberNode:
			property, isText := n.Property.(*ast.StringNode)
			if !isText || n.Method {
				return "", false
			}
			parts = append([]string{gjson.Escape(property.Value)}, parts...)
			node = n.Node
		case *ast.IdentifierNode:
			return strings.Join(parts, "."), n.Value == "attrs" && len(parts) > 0
		default:
			return "", false
		}
	}
}

// compareAttribute compares an attribute with a constant. One of another type than the constant's is unequal to it and
// neither less nor greater. It returns nil if the comparison is not covered.
func compareAttribute(left attribute, operator string, node ast.Node) test {
	if operator == "!=" {
		if equal := compareAttribute(left, "==", node); equal != nil {
			return func(s *evaluation) bool { return !equal(s) }
		}
		return nil
	}
	if kind, ok := literalType(node); ok {
		if operator != "==" {
			return nil
		}
		return func(s *evaluation) bool { return left(s).Type == kind }
	}
	kind, inner := gjson.String, test(nil)
	_, numeric := numberList(node)
	switch {
	case numeric, constant(node) && numberOf(node) != nil:
		kind = gjson.Number
		inner = compareNumber(func(s *evaluation) float64 { return s.attribute.Num }, operator, node)
	case constant(node), operator == "in":
		inner = compareText(func(s *evaluation) string { return s.attribute.Str }, operator, node)
	}
	if inner == nil {
		return nil
	}
	return func(s *evaluation) bool {
		s.attribute = left(s)
		return s.attribute.Type == kind && inner(s)
	}
}

// literalType returns the type of true, false and nil, which have no other value.
func literalType(node ast.Node) (kind gjson.Type, ok bool) {
	switch n := node.(type) {
	case *ast.NilNode:
		return gjson.Null, true
	case *ast.BoolNode:
		if n.Value {
			return gjson.True, true
		}
		return gjson.False, true
	}
	return 0, false
}
