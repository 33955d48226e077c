package testkit

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// cleanups run when the tests of the binary are done. Guarded by shared.mu.
var cleanups []func() error

// Main runs the tests of a binary, ends what they share, and exits. If all passed it also fails when goroutines are
// left. Call it from TestMain.
func Main(m *testing.M, options ...goleak.Option) {
	code := m.Run()
	shared.mu.Lock()
	var errs []error
	for _, clean := range cleanups {
		errs = append(errs, clean())
	}
	shared.mu.Unlock()
	err := errors.Join(errs...)
	if code == 0 {
		err = errors.Join(err, goleak.Find(options...))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}
