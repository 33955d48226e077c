package kafka

import "encoding/base64"

// A uuid is a topic id (KIP-516). Zero stands for a broker that has none.
type uuid [16]byte

// String returns the id as Kafka's own tools print it, "" for none.
func (u uuid) String() string {
	if u == (uuid{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(u[:])
}
