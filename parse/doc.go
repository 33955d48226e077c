// Package parse turns raw lines into events, and decides by rules which events go on.
//
// A processor made by [New] stands for one worker's parser: for each line of a batch it appends the line's events, or
// one dead letter. A [Filter] stands for the operator's drop, keep and sample rules; its processor sets fates.
//
// Whatever the parser accepts, Postgres accepts: texts are UTF-8 without NUL, attrs is a document that jsonb takes.
// What has no form there (U+0000, half a surrogate pair, a number of 1e999999) is rewritten and counted, what is no
// event at all (broken JSON, binary data) is a dead letter with a constant reason.
//
// Units: times are microseconds since the Unix epoch, response times milliseconds, limits bytes.
//
// Ownership: events point into the batch's Arena where the line says it plainly, and into its Text where it had to be
// decoded, masked or put together. Nothing is allocated for a line once the buffers have grown.
//
// Concurrency: a processor belongs to one goroutine. Options, names and compiled filters are shared and only read.
package parse
