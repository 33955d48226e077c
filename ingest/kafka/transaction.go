package kafka

import "encoding/binary"

// An abortedTransaction is told by the broker beside the batches: from offset first on, what producer wrote is to be
// passed over until its marker says that the transaction ended.
type abortedTransaction struct{ producer, first int64 }

// A transactionFilter knows which batches of one fetched piece belong to aborted transactions, by the rule of the Java
// client. Batches come in the order of their offsets.
type transactionFilter struct {
	aborted []abortedTransaction // in the order of first
	open    map[int64]bool       // producers in an aborted transaction at this place
}

// passes reports whether the records of b are messages that were committed.
func (f *transactionFilter) passes(b *recordBatch) bool {
	for len(f.aborted) > 0 && f.aborted[0].first <= b.last {
		if f.open == nil {
			f.open = map[int64]bool{}
		}
		f.open[f.aborted[0].producer] = true
		f.aborted = f.aborted[1:]
	}
	switch {
	case b.isControl():
		if isAbortMarker(b) {
			delete(f.open, b.producer)
		}
		return false
	case b.isTransactional():
		return !f.open[b.producer]
	}
	return true
}

// isAbortMarker reports whether a control batch ends an aborted transaction: its one record, never compressed, has as
// key a version and a type, which is 0.
func isAbortMarker(b *recordBatch) bool {
	r := records{buf: b.payload, end: len(b.payload)}
	var key [4]byte
	r.varint()
	r.skip(1)
	r.varint()
	r.varint()
	if n := r.varint(); n < int64(len(key)) {
		return false
	}
	marker := r.take(key[:0], len(key), len(key))
	return r.err == nil && binary.BigEndian.Uint16(marker[2:]) == 0
}
