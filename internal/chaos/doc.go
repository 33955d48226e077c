// Package chaos proves the delivery promise: real programs write numbered lines and rotate their files while logflume
// and PostgreSQL are killed, and afterwards every number has to be in log_events exactly once, undamaged, and the ledger
// and the windows of analysis have to say so too.
//
// A [Rig] stands for one run: a directory of log files, a schema, a configuration, the writers, the instances of the
// real program on them, and the faults so far. [Check] is the judge; it looks at the tables alone. To trust it, the
// tests also run it against two programs that are wrong on purpose, built with the tags control_position_first (the
// position is committed before the rows, so kills lose lines) and control_rows_first (after them, so kills double lines).
//
// Sizes: a small one that runs with all tests, and with LOGFLUME_CHAOS=full one of 200,000 lines a writer. What is
// random comes from a seed that is printed and that LOGFLUME_CHAOS_SEED sets.
//
// Time: faults happen by the rig's own clock; everything else waits for what it needs: rows, the end of a process.
package chaos
