package main

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// A configKey is one leaf of the configuration.
type configKey struct {
	name  string // as written in paths: flush.interval
	value reflect.Value
}

// leaves returns every key of c outside lists and maps, in the order of the structs.
func leaves(c *config) []configKey {
	var keys []configKey
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			name := prefix + v.Type().Field(i).Tag.Get("yaml")
			if isSection(v.Field(i).Type()) {
				walk(name+".", v.Field(i))
			} else {
				keys = append(keys, configKey{name, v.Field(i)})
			}
		}
	}
	walk("", reflect.ValueOf(c).Elem())
	return keys
}

// isSection reports whether values of type t are mappings with fixed keys.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// keysOf returns the keys that the section at path may have, or nil when path is no section with fixed keys.
func keysOf(path string) []string {
	t := reflect.TypeFor[config]()
	for element := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' }) {
		switch {
		case strings.HasSuffix(element, "]") && t.Kind() == reflect.Slice:
			t = t.Elem()
		case isSection(t):
			field, ok := fieldOf(t, element)
			if !ok {
				return nil
			}
			t = field.Type
		default:
			return nil
		}
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	if !isSection(t) {
		return nil
	}
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("yaml")
	}
	return names
}

func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("yaml") == key {
			return t.Field(i), true
		}
	}
	return reflect.StructField{}, false
}

var index = regexp.MustCompile(`\[\d+\]`)

// anyIndex turns sources[0].kafka into sources[].kafka.
func anyIndex(key string) string { return index.ReplaceAllString(key, "[]") }

// kindName says what a value of type t is written as.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a mapping of keys to values"
	default:
		return "a text; put it in quotes"
	}
}

// didYouMean names the word of known that name is closest to, or all of them when none is close.
func didYouMean(name string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := editDistance(name, k); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return "known here: " + strings.Join(known, ", ")
}

// editDistance counts the single-byte edits between a and b (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
