package kafka

import "bytes"

// maxUnpacking is how many compressed batches are unpacked at once: the memory of their decompressors is in no budget.
const maxUnpacking = 2

// An unpacker is the turn to unpack a batch, and the memory for it.
type unpacker struct {
	packed bytes.Reader
	buf    [32 << 10]byte
}

func newUnpackers() chan *unpacker {
	turns := make(chan *unpacker, maxUnpacking)
	for range maxUnpacking {
		turns <- &unpacker{}
	}
	return turns
}
