package parse

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
	"github.com/tidwall/gjson"

	"logflume/pipeline"
)

// A rule is a compiled expression.
type rule struct{ test test }

// A test is a part of a rule that is true or false.
type test func(*evaluation) bool

// An evaluation is what tests work on. It belongs to one worker.
type evaluation struct {
	event     *pipeline.Event
	failed    bool         // a rule could not be evaluated
	broken    bool         // the one at hand could not
	attribute gjson.Result // the one that is being compared
	machine   vm.VM
	names     environment
}

// newRule compiles source, nil if it is blank. name is its key in the configuration, for messages.
func newRule(name, source string) (*rule, error) {
	if strings.TrimSpace(source) == "" {
		return nil, nil
	}
	// Unoptimized, so that the tree is what was written. It is only compiled to find what is wrong with it.
	program, err := expr.Compile(source, expr.Env(&environment{}), expr.AsBool(), expr.Optimize(false))
	if err != nil {
		return nil, explain(name, err)
	}
	t, err := compileTest(program.Node())
	if err != nil {
		return nil, explain(name, err)
	}
	return &rule{t}, nil
}

// matches reports whether the rule holds for s.event. One that fails does not.
func (r *rule) matches(s *evaluation) bool {
	s.broken = false
	ok := r.test(s)
	if s.broken {
		s.failed = true
		return false
	}
	return ok
}

// machineTest runs source in expr-lang's virtual machine, which knows the whole language and takes at least ten times
// as long as a closure (BenchmarkFilter).
func machineTest(source string) (test, error) {
	program, err := expr.Compile(source, expr.Env(&environment{}), expr.AsBool(), expr.Patch(absentNumber{}))
	if err != nil {
		return nil, err
	}
	attrs := strings.Contains(source, "attrs")
	return func(s *evaluation) bool {
		s.names.fill(s.event, attrs)
		result, err := s.machine.Run(program, &s.names)
		if err != nil {
			s.broken = true
			return false
		}
		ok, isBool := result.(bool)
		s.broken = s.broken || !isBool
		return ok
	}, nil
}

// explain adds place and remedy to an error of expr-lang.
func explain(name string, err error) error {
	line, column, message, snippet := 1, 1, err.Error(), ""
	var at *file.Error
	if errors.As(err, &at) {
		line, column, message, snippet = at.Line, at.Column+1, at.Message, at.Snippet
	}
	return fmt.Errorf("%s: line %d, column %d: %s; %s%s", name, line, column, message, remedy(message), snippet)
}

func remedy(message string) string {
	if unknown, ok := strings.CutPrefix(message, "unknown name "); ok {
		if why, ok := later[unknown]; ok {
			return unknown + " is not known before an event is filtered: " + why
		}
		known := []string{"attrs", "attr"}
		for n := range texts {
			known = append(known, n)
		}
		for n := range numbers {
			known = append(known, n)
		}
		slices.Sort(known)
		return "known are " + strings.Join(known, ", ") + "; other keys of a line are in attrs, as in attrs." + unknown
	}
	switch {
	case strings.HasPrefix(message, "expected bool"):
		return `a rule must be true or false, as in level == "ERROR"`
	case strings.Contains(message, "mismatched types"):
		return "compare texts with texts in quotes, and status and response_time with numbers"
	}
	return "see https://expr-lang.org/docs/language-definition"
}
