package pipeline

import "sync/atomic"

// Stats counts what the process has done since it started. Fields are added to once a batch or less often, never once
// a line, and read by the metrics endpoint.
type Stats struct {
	Batches  atomic.Int64 // batches sent by sources
	Lines    atomic.Int64 // committed, as the four below
	Kept     atomic.Int64
	Filtered atomic.Int64
	Dead     atomic.Int64
	Events   atomic.Int64
	Bytes    atomic.Int64

	Flushes      atomic.Int64 // committed transactions
	FlushErrors  atomic.Int64 // transactions that failed and are tried again
	Fenced       atomic.Int64 // streams whose position somebody else had moved
	Paused       atomic.Int64 // sources that are stopped now because their dead letters have reached the limit
	Terminated   atomic.Int64 // sessions of frozen writers ended to free a locked position
	Patterns     atomic.Int64 // patterns inserted
	LostBytes    atomic.Int64 // bytes cut from files before they could be read
	LostMessages atomic.Int64 // messages gone from topics before they could be read; committed, as Lines
	Sanitised    atomic.Int64 // lines changed to be storable: U+0000, surrogates, invalid UTF-8, numbers out of range
	Retimed      atomic.Int64 // events stored under the time they were received, their own being out of range
	Expired      atomic.Int64 // events older than the retention
	FilterErrors atomic.Int64 // events for which a filter expression failed

	FilesOpen     atomic.Int64 // descriptors held now
	FilesDrained  atomic.Int64 // of those, files that no input finds any more, read to their end and kept for the grace time
	FilesCut      atomic.Int64 // deleted files that were given up before they were read to their end
	FilesWaiting  atomic.Int64 // truncated streams waiting for a copy that continues them
	FilesHeld     atomic.Int64 // files that look like a copy in progress
	FilesSkipped  atomic.Int64 // files passed over as plain copies of others
	FilesUnopened atomic.Int64 // files found and not read, because the process has as many descriptors as it may
	Lag           atomic.Int64 // bytes between the committed positions and the ends of open files

	Generations     atomic.Int64 // generations of consumer groups that this process was a member of
	Aborted         atomic.Int64 // messages of aborted transactions, passed over
	Partitions      atomic.Int64 // partitions that are read now
	PartitionsStuck atomic.Int64 // of those, how many cannot be read
	LagMessages     atomic.Int64 // messages between the committed positions and the ends of partitions that are read
}

// Committed adds a committed span.
func (s *Stats) Committed(l Ledger) {
	s.Lines.Add(l.Lines)
	s.Kept.Add(l.Kept)
	s.Filtered.Add(l.Filtered)
	s.Dead.Add(l.Dead)
	s.Events.Add(l.Events)
	s.Bytes.Add(l.Bytes)
	s.LostMessages.Add(l.Lost)
}
