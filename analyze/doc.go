// Package analyze recognises the pattern of error messages, marks slow requests, and counts events in windows.
//
// One processor, made by [New] for one worker, fills Event.PatternID, Event.Pattern and Event.Slow. One aggregate, made
// by [NewAggregate] for the sink, sums up the events of a segment per window and service into the JSON of the table
// log_analytics, so that any two such sums can be added later whoever made them.
//
// Units: times are microseconds since the Unix epoch; response times are milliseconds; windows are event time, aligned
// to multiples of their width since the epoch.
//
// Ownership: a pattern's text lies in Batch.Text. The aggregate points into the batches it was given until
// [Aggregate.Reset]; what [Aggregate.Rows] yields is valid during the call.
//
// Concurrency: no goroutines. A processor belongs to its worker and an aggregate to the sink's goroutine.
//
// Patterns have two layers. The first masks what looks like a value; its ids are equal on every host and after every
// restart: a pure function of the message and the version of the rules, with nothing learned on the way. The second,
// [Merge], compares patterns and finds words that are values too. It changes no id: it yields aliases, which queries
// resolve. It depends on nothing but the set of patterns, so that whoever has them all finds the same. A [Miner] does both
// for a file, in bounded memory.
package analyze
