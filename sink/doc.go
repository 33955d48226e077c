// Package sink holds the sinks that need nothing from outside; those that write to a store have a folder each.
package sink
