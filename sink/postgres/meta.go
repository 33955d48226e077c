package postgres

import (
	"bytes"

	"logflume/pipeline"
)

// joinMeta makes one object of the batches' own. Of two members with one name Postgres keeps the later, as it does
// when objects are merged one after the other. It returns nil when no batch has one.
func joinMeta(batches []*pipeline.Batch) []byte {
	var joined []byte
	for _, b := range batches {
		joined = mergeMeta(joined, b.Meta)
	}
	return joined
}

// mergeMeta appends the members of the object more to the object meta.
func mergeMeta(meta, more []byte) []byte {
	if len(more) == 0 {
		return meta
	}
	if len(meta) == 0 {
		return append(meta, bytes.TrimSpace(more)...)
	}
	members := innards(more)
	if len(members) == 0 {
		return meta
	}
	bare := len(innards(meta)) == 0
	meta = meta[:len(meta)-1] // its closing brace: it was trimmed when it came
	if !bare {
		meta = append(meta, ',')
	}
	return append(append(meta, members...), '}')
}

// innards returns what stands between the braces of an object.
func innards(object []byte) []byte {
	object = bytes.TrimSpace(object)
	return bytes.TrimSpace(object[1 : len(object)-1])
}
