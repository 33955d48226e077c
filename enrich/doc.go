// Package enrich adds to an event what follows from what it already says: the host it came from, the program behind its
// user agent, the network of its client's address.
//
// A processor made by the function that [New] returns belongs to one worker; it fills Event.Hostname, Event.Browser,
// Event.Location and Event.Extra of all events that are not dropped, and leaves alone what the line itself said.
//
// Units: none but bytes, in the limits of the user agent cache.
//
// Ownership: everything it writes is immutable and outlives the batch, except Extra when another stage has written
// there before, which then lies in Batch.Text. The cache copies its keys out of the batch.
//
// Concurrency: no goroutines. The table of zones is shared by all workers and never changes.
package enrich
