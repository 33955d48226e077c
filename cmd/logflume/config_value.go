package main

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// A duration is a length of time in configuration: 500ms, 1s, 5m, 12h, 30d.
type duration time.Duration

// UnmarshalText reads what [time.ParseDuration] does, and a leading number of days. Empty is 0.
func (d *duration) UnmarshalText(text []byte) error {
	var days float64
	rest := string(text)
	if rest == "" {
		*d = 0
		return nil
	}
	if before, after, found := strings.Cut(rest, "d"); found {
		n, err := strconv.ParseFloat(before, 64)
		if err != nil {
			return fmt.Errorf("%q is no duration: write a number and its unit, as in 500ms, 1s, 5m, 12h or 30d", text)
		}
		days, rest = n, after
	}
	var t time.Duration
	if rest != "" || days == 0 {
		var err error
		if t, err = time.ParseDuration(rest); err != nil {
			return fmt.Errorf("%q is no duration: write a number and its unit, as in 500ms, 1s, 5m, 12h or 30d", text)
		}
	}
	total := days*float64(24*time.Hour) + float64(t)
	if total < 0 || total > float64(100*365*24*time.Hour) {
		return fmt.Errorf("%q is not between 0 and 100 years", text)
	}
	*d = duration(total)
	return nil
}

// UnmarshalYAML reads a scalar.
func (d *duration) UnmarshalYAML(node ast.Node) error { return unmarshalScalar(node, d.UnmarshalText) }

func (d duration) String() string {
	const day = duration(24 * time.Hour)
	switch {
	case d == 0:
		return "0s"
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// A size is a number of bytes in configuration: 4096, 64KiB, 64MiB, 1GiB.
type size int64

var sizeUnits = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}

// UnmarshalText reads a whole number and its unit.
func (s *size) UnmarshalText(text []byte) error {
	for _, u := range sizeUnits {
		number, ok := strings.CutSuffix(string(text), u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 0 {
			break
		}
		if n > (1<<50)/u.bytes {
			return fmt.Errorf("%q is more than can be had", text)
		}
		*s = size(n * u.bytes)
		return nil
	}
	return fmt.Errorf("%q is no size: write a whole number and its unit, as in 4096, 64KiB, 64MiB or 1GiB", text)
}

// UnmarshalYAML reads a scalar.
func (s *size) UnmarshalYAML(node ast.Node) error { return unmarshalScalar(node, s.UnmarshalText) }

func (s size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && int64(s)%u.bytes == 0 {
			return fmt.Sprintf("%d%s", int64(s)/u.bytes, u.name)
		}
	}
	return "0"
}

// A count is a whole number in configuration. The YAML library would cut 1.5 to 1.
type count int

// UnmarshalText reads a whole number.
func (c *count) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return fmt.Errorf("%q: needs a whole number", text)
	}
	*c = count(n)
	return nil
}

// UnmarshalYAML reads a scalar.
func (c *count) UnmarshalYAML(node ast.Node) error { return unmarshalScalar(node, c.UnmarshalText) }

// unmarshalScalar gives the text of a scalar node to parse and its place to parse's error.
func unmarshalScalar(node ast.Node, parse func([]byte) error) error {
	err := errors.New("needs a single value")
	switch n := node.(type) {
	case *ast.StringNode:
		err = parse([]byte(n.Value)) // the token would still hold an unexpanded ${NAME}
	case ast.ScalarNode:
		err = parse([]byte(node.GetToken().Value))
	}
	if err != nil {
		return &yaml.SyntaxError{Message: err.Error(), Token: node.GetToken()}
	}
	return nil
}

// A secret is a text that is never printed.
type secret string

func (s secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString keeps %#v from printing it.
func (s secret) GoString() string { return strconv.Quote(s.String()) }

// LogValue keeps slog from printing it.
func (s secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// A secretURL is a database URL, which may hold a password. It prints without it.
type secretURL string

var (
	urlUserinfo     = regexp.MustCompile(`://[^\s"']*@`)
	keywordPassword = regexp.MustCompile(`(?i)(password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&"',}]+)`)
)

// redact masks what could be a password in s: the user part of a URL, and any password=….
func redact(s string) string {
	return keywordPassword.ReplaceAllString(urlUserinfo.ReplaceAllString(s, "://***@"), "${1}***")
}

func (u secretURL) String() string { return redact(string(u)) }

// GoString keeps %#v from printing the password.
func (u secretURL) GoString() string { return strconv.Quote(u.String()) }

// LogValue keeps slog from printing the password.
func (u secretURL) LogValue() slog.Value { return slog.StringValue(u.String()) }
