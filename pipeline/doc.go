// Package pipeline holds the nouns of logflume and the one function that runs them: a [Source] fills a [Batch] with
// raw lines, [Processor]s turn the lines into [Event]s and the events into rows, a [Sink] commits the rows together
// with the source's position.
//
// One Batch stands for one span of one [Stream] (a file's bytes, a topic partition's offsets): positions From to To,
// whole lines only. One Stream stands for one started reading of one row of the table log_positions; it is also the
// generation that the exactly-once protocol speaks of: a reading that was fenced is never revived, a new Stream takes
// its place.
//
// Units: positions are bytes in a file and offsets in a topic; times are microseconds since the Unix epoch, UTC,
// unless the type says otherwise; sizes are bytes.
//
// Ownership: a Batch has one owner at a time. A source owns it until [Intake.Send], then a worker, then the sink,
// which gives it back with [Batch.Release] once its rows are committed or discarded. Every string and slice reachable
// from a Batch is valid until Release and not after.
//
// Concurrency: [Run] starts one goroutine a source, one a worker and one for the sink. It returns when all of them
// have. Cancelling its context stops the sources; workers and sink then finish what was read.
package pipeline
