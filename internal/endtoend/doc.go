// Package endtoend holds tests of the whole: the built program, real files and a real PostgreSQL, judged by the tables.
//
// What each stage does with a line is proved beside the stage. Here is proved that they do it together: that a bad line
// costs its neighbours nothing and is accounted for, that windows of analysis counted in Go and merged in SQL say what
// the rows say, and that reading files again adds nothing.
//
// A store stands for one schema and the program that imports into it. It belongs to its test.
package endtoend
