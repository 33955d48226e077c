package main

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// environmentPrefix begins the names of all variables that set a key.
const environmentPrefix = "LOGFLUME_"

// otherVariables are those that begin with the prefix and set no key: LOGFLUME_POSTGRES_BIN names the folder of the
// server's programs for demo and tests, LOGFLUME_TEST… and LOGFLUME_CHAOS… belong to the tests, and Kubernetes gives
// every pod variables of this form when a service is called logflume.
var otherVariables = regexp.MustCompile(`^LOGFLUME_(POSTGRES_BIN|(TEST|CHAOS)(_.*)?|SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_.*)?)$`)

// environmentName returns the variable that sets key: LOGFLUME_FLUSH_INTERVAL for flush.interval.
func environmentName(key string) string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// settable reports whether values of type t can be given as one text.
func settable(t reflect.Type) bool { return t.Kind() != reflect.Map && t.Kind() != reflect.Slice }

// applyEnvironment sets the keys for which environ has a variable, and refuses variables that set none.
func (f *configFile) applyEnvironment(environ []string) {
	keys := map[string]configKey{}
	names := []string{}
	for _, k := range leaves(f.config) {
		keys[environmentName(k.name)] = k
		if settable(k.value.Type()) {
			names = append(names, environmentName(k.name))
		}
	}
	for _, e := range slices.Sorted(slices.Values(environ)) {
		name, text, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, environmentPrefix) {
			continue
		}
		p := problem{place: "environment variable " + name}
		k, known := keys[name]
		switch {
		case !known && otherVariables.MatchString(name):
			continue
		case !known:
			p.what = unknownVariable(name, names)
		case !settable(k.value.Type()):
			p.key, p.what = k.name, "cannot be set by the environment: set it in the file given with --config"
		default:
			if err := setText(k.value, text); err != nil {
				p.key, p.what = k.name, err.Error()
				break
			}
			f.env[k.name] = name
			continue
		}
		f.problems = append(f.problems, p)
	}
}

func unknownVariable(name string, names []string) string {
	for key, what := range unavailable {
		if environmentName(key) == name {
			return what
		}
	}
	best, least := "", 4
	for _, n := range names {
		if d := editDistance(name, n); d < least {
			best, least = n, d
		}
	}
	if best != "" {
		return fmt.Sprintf("sets no key: did you mean %s?", best)
	}
	return "sets no key: remove it; docs/configuration.md lists the variables there are"
}

// setText sets v to what text says.
func setText(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		var b bool
		if b, err = strconv.ParseBool(text); err == nil {
			v.SetBool(b)
		}
	case reflect.Float64:
		var n float64
		if n, err = strconv.ParseFloat(text, 64); err == nil {
			v.SetFloat(n)
		}
	default:
		panic("no text form for " + v.Type().String())
	}
	if err != nil {
		return fmt.Errorf("%q: needs %s", text, kindName(v.Type()))
	}
	return nil
}
