package analyze

import "strings"

// A kind says what a placeholder stands for. It is shown to people; it does not enter the pattern's id, so that an
// address and a host name in the same place still make one pattern.
type kind byte

const (
	number kind = iota
	hexNumber
	uuid
	address
	moment
	path
	url
	email
	host
	text
	boolean
	identifier
	value
	person
	anything // a word in whose place many others stood, or values of several kinds
	tail     // what lies beyond maxMessage

	kinds
)

var kindNames = [kinds]string{
	"num", "hex", "uuid", "ip", "time", "path", "url", "email", "host", "str", "bool", "id", "val", "user", "*", "...",
}

// placeholders are the kinds as they are written, in no more than eight bytes.
var placeholders = func() (t [kinds]struct {
	name   uint64
	length int
}) {
	for k, name := range kindNames {
		t[k].name, t[k].length = eight("<"+name+">", 0), len(name)+2
	}
	return t
}()

// placeholderAt recognises a placeholder that stands in the message itself at s[i] = '<', as it does when a pattern
// is masked again, or when another tool has masked the message. It returns the index after it.
func placeholderAt(s string, i int) (k kind, end int, ok bool) {
	rest := s[i+1:]
	for k := range kinds {
		n := len(kindNames[k])
		if len(rest) > n && rest[n] == '>' && strings.EqualFold(rest[:n], kindNames[k]) {
			return k, i + n + 2, true
		}
	}
	return 0, i, false
}
