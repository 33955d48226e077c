package pipeline

import (
	"context"
	"encoding/json"
)

// A Checkpoint is one row of log_positions: how far one stream of bytes or messages is durable.
type Checkpoint struct {
	ID       int32  // source_id
	Key      string // source_key: names the stream for ever, file:<host>/<device>:<inode>#<generation>
	Epoch    int64  // raised to fence whoever reads the stream at its former place
	Position int64
	Meta     json.RawMessage // an object; the source's own notes: path, head, anchor
}

// Checkpoints keeps the rows of log_positions. Every call waits for the database as long as ctx lasts; errors other
// than ctx's, ErrMoved and ErrGone mean that the row cannot be had at all (rights, schema).
type Checkpoints interface {
	// Create returns the row of key, inserting it at position 0 with meta when there is none.
	Create(ctx context.Context, key string, meta []byte) (Checkpoint, error)
	// List returns the rows whose key starts with prefix, in order of their key. With open set only those whose meta
	// has no true member "closed".
	List(ctx context.Context, prefix string, open bool) ([]Checkpoint, error)
	// Amend applies a to the row of c if its epoch and position are still those of c, and returns the new row.
	// Otherwise it returns ErrMoved or ErrGone and changes nothing. When the answer to an earlier try was lost it may
	// return ErrMoved although that try succeeded.
	Amend(ctx context.Context, c Checkpoint, a Amendment) (Checkpoint, error)
}

// An Amendment is a change to a position row that stores no lines.
type Amendment struct {
	Meta      []byte // JSON object merged over the row's meta
	Fence     bool   // raise the epoch: batches of the former reader will not commit
	Rewind    bool   // set the position to 0: what the row stood for was replaced by something new
	LostBytes int64  // added to lost_bytes
}
