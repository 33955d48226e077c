package main

import (
	"path/filepath"

	"logflume/ingest/file"
)

// input returns the set of files that an entry of the configuration means.
func (c *fileConfig) input() file.Input {
	return file.Input{Paths: c.Paths, Exclude: c.Exclude, StartAt: file.StartAt(c.StartAt)}
}

// serviceOf returns a function that gives the service of a file: that of the entry which the file belongs to, "" if it
// belongs to none or to one without a service.
func serviceOf(sources []sourceConfig) func(path string) string {
	var inputs []file.Input
	var services []string
	for _, s := range sources {
		if s.File == nil {
			continue
		}
		in := s.File.input()
		paths := make([]string, len(in.Paths))
		for i, path := range in.Paths {
			paths[i] = filepath.Clean(path) // as the source does, with the paths that it finds
		}
		in.Paths = paths
		inputs, services = append(inputs, in), append(services, s.File.Service)
	}
	return func(path string) string {
		for i := range inputs {
			if inputs[i].Matches(path) {
				return services[i]
			}
		}
		return ""
	}
}
