// Package schema holds what logflume keeps in PostgreSQL, as SQL that migrates forward only, and the Go that applies
// and checks it.
//
// One file NNNN_subject.sql is one version. [Migrate] applies the files that a database lacks in one transaction, so a
// schema is at one version or the other, never between. A released file is never edited; a change is a new file.
//
// Everything lives in one schema whose name the user chooses. The files name nothing but their own objects: they run
// with search_path set to that schema, functions keep that path (SET … FROM CURRENT) or are bound when they are made
// (BEGIN ATOMIC), so no later search_path can put another table or function under them.
//
// Units: sizes in bytes, times as timestamptz, latencies in milliseconds, windows in seconds. Days and hours are UTC.
//
// Ownership: [Migrate] and [Roles] open a connection of their own and close it; [Check] uses the caller's and leaves it
// as it was. Objects belong to the owner of the schema, whoever migrates.
//
// Concurrency: no goroutines. Any number of processes may call everything at the same time; an advisory lock makes
// migrations wait for each other.
package schema
