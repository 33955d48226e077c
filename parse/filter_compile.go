package parse

import (
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/tidwall/gjson"
)

// The checked tree of a rule becomes closures over the event, for what rules mostly consist of: and, or, not,
// comparisons, in, contains, startsWith, endsWith, matches. Any other part
// is left to the virtual machine, while the rest of the rule stays closures.

// compileTest compiles a node that is true or false.
func compileTest(node ast.Node) (test, error) {
	switch n := node.(type) {
	case *ast.BoolNode:
		value := n.Value
		return func(*evaluation) bool { return value }, nil
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			inner, err := compileTest(n.Node)
			return func(s *evaluation) bool { return !inner(s) }, err
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&":
			left, right, err := compileBoth(n)
			return func(s *evaluation) bool { return left(s) && right(s) }, err
		case "or", "||":
			left, right, err := compileBoth(n)
			return func(s *evaluation) bool { return left(s) || right(s) }, err
		}
		if t := compileComparison(n); t != nil {
			return t, nil
		}
	default:
		if attribute := attributeOf(node); attribute != nil {
			return func(s *evaluation) bool { return attribute(s).Type == gjson.True }, nil
		}
	}
	return machineTest(node.String())
}

func compileBoth(n *ast.BinaryNode) (left, right test, err error) {
	if left, err = compileTest(n.Left); err != nil {
		return nil, nil, err
	}
	right, err = compileTest(n.Right)
	return left, right, err
}

// compileComparison returns nil if n is not covered.
func compileComparison(n *ast.BinaryNode) test {
	operator, left, right := n.Operator, n.Left, n.Right
	if constant(left) && !constant(right) { // 1000 < response_time
		mirrored := map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
		if operator = mirrored[operator]; operator == "" {
			return nil
		}
		left, right = right, left
	}
	if t := compareAddress(left, operator, right); t != nil {
		return t
	}
	if text := textOf(left); text != nil {
		return compareText(text, operator, right)
	}
	if number := numberOf(left); number != nil {
		return compareNumber(number, operator, right)
	}
	if attribute := attributeOf(left); attribute != nil {
		return compareAttribute(attribute, operator, right)
	}
	return nil
}

// compareText returns nil if the comparison is not covered.
func compareText(left text, operator string, node ast.Node) test {
	switch operator {
	case "in":
		if list, ok := textList(node); ok {
			return func(s *evaluation) bool { return slices.Contains(list, left(s)) }
		}
		return nil
	case "matches":
		pattern, ok := node.(*ast.StringNode)
		if !ok {
			return nil
		}
		expression, err := regexp.Compile(pattern.Value)
		if err != nil {
			return nil
		}
		return func(s *evaluation) bool { return expression.MatchString(left(s)) }
	}
	right := textOf(node)
	if right == nil {
		return nil
	}
	switch operator {
	case "==":
		return func(s *evaluation) bool { return left(s) == right(s) }
	case "!=":
		return func(s *evaluation) bool { return left(s) != right(s) }
	case "contains":
		return func(s *evaluation) bool { return strings.Contains(left(s), right(s)) }
	case "startsWith":
		return func(s *evaluation) bool { return strings.HasPrefix(left(s), right(s)) }
	case "endsWith":
		return func(s *evaluation) bool { return strings.HasSuffix(left(s), right(s)) }
	}
	return nil
}

// compareNumber returns nil if the comparison is not covered.
func compareNumber(left number, operator string, node ast.Node) test {
	if operator == "in" {
		if list, ok := numberList(node); ok {
			return func(s *evaluation) bool { return slices.Contains(list, left(s)) }
		}
		if from, to, ok := numberRange(node); ok {
			return func(s *evaluation) bool {
				x := left(s)
				return x >= from && x <= to && x == float64(int64(x))
			}
		}
		return nil
	}
	right := numberOf(node)
	if right == nil {
		return nil
	}
	switch operator {
	case "==":
		return func(s *evaluation) bool { return left(s) == right(s) }
	case "!=":
		return func(s *evaluation) bool { // unlike != false for NaN, a number that is absent
			x, y := left(s), right(s)
			return x < y || x > y
		}
	case "<":
		return func(s *evaluation) bool { return left(s) < right(s) }
	case "<=":
		return func(s *evaluation) bool { return left(s) <= right(s) }
	case ">":
		return func(s *evaluation) bool { return left(s) > right(s) }
	case ">=":
		return func(s *evaluation) bool { return left(s) >= right(s) }
	}
	return nil
}
