// Package chaos proves the delivery promise: real programs write numbered lines, into files that they rotate or through
// producers of Kafka's, while logflume, PostgreSQL and brokers are killed, and afterwards every number has to be in
// log_events exactly once, undamaged, and the ledger and the windows of analysis have to say so too.
//
// A [Rig] stands for one run: a directory of log files, a schema, a configuration, the writers, the instances of the
// real program on them, and the faults so far. A [TopicRig] is one whose lines go through a topic and whose instances are
// members of a consumer group. [Check] is the judge; it looks at the tables alone. To trust it, the tests also run it
// against two programs that are wrong on purpose, built with the tags control_position_first (the position is committed
// before the rows, so kills lose lines) and control_rows_first (after them, so kills double lines), and against one as it is
// often written (tailcontrol: files are followed by name, positions kept in a file), which rotations and kills make lose lines
// and double them.
//
// A [Script] is a run in which the test itself does things to files, step by step, and says what must come of it, down to
// dead letters and lost bytes; a [Way] says what logflume is doing meanwhile.
//
// The [Matrix] is the ways to rotate files ([Modes]) by [Faults] by speeds. A rotation that copies and truncates destroys
// what is written meanwhile; the rig counts which lines are in no file in the end, and only those, if their writer says
// that it risked them, may be without a row, and only their bytes in the ledger's lost_bytes.
//
// Sizes: a small one that runs with all tests, and with LOGFLUME_CHAOS=full one of 200,000 lines a writer, or 505,000 into
// a topic. What is random comes from a seed that is printed, the same one each time in the small size, and that
// LOGFLUME_CHAOS_SEED sets. LOGFLUME_CHAOS_RESULTS names a file to which the [Result] of each run is appended, for the
// program in table.
//
// Time: faults happen by the rig's own clock; everything else waits for what it needs: rows, the end of a process.
package chaos
