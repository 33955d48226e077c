// Package postgres is the sink that stores batches in PostgreSQL, exactly once.
//
// A [Sink] stands for one writer: one connection, one transaction at a time. A transaction moves the positions of
// several streams by compare-and-set and stores their rows, their shares of the analysis windows and their dead
// letters. Its first statement says which streams go on; the rows of the others never leave this process. Since rows
// and position are one commit, every failed transaction may be tried again: a try that had reached the disk after all
// is seen by its position.
//
// Words: a part is what one flush brings for one stream, encoded and counted; a lane is the queue of a stream's parts
// that are not committed yet.
//
// Units: times are microseconds since the Unix epoch, days are days since it, positions are the source's own.
//
// Ownership: the sink owns a batch from the moment it takes it from its channel until it calls Release, which it does
// once the batch is committed or discarded. Everything it encodes lies in the batch or in its part.
//
// Concurrency: [Sink.Run] has two goroutines: one waits for batches and assembles flushes, one commits, so that the
// next flush is encoded while Postgres works on this one. [Sink.Maintain] and the value of [Sink.Checkpoints] have a
// connection each and may be used beside it. Nothing relies on session state or named statements, so every connection
// but the one of Options.MaintenanceURL may go through PgBouncer in transaction mode.
package postgres
