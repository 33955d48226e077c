package analyze

import "strings"

// meaningful are the words of letters that may be more than a literal: dates, constants, what announces a user, and what
// begins a statement. Few words of a message get beyond them.
var meaningful = setOf("jan feb mar apr may jun jul aug sep oct nov dec " +
	"january february march april june july august september october november december " +
	"mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday " +
	"true false null nil none user select insert update delete")

// plainWord handles s[i:j], a whole word of letters, and returns the index after what it took.
func (m *masker) plainWord(i, j int, c class) int {
	w := m.s[i:j]
	if isMonth(w) && (m.afterMark() || m.digitFollows(j)) || isWeekday(w) && m.dateFollows(j) {
		m.placeholder(moment)
		return j
	}
	m.plainName(w, c)
	return j
}

// plainName masks a name of letters, dashes and underscores, whose classes are c.
func (m *masker) plainName(w string, c class) {
	switch {
	case c == hexLetter:
		if len(w) >= 8 {
			m.placeholder(hexNumber)
			return
		}
		m.literal(w)
	case isConstant(w) || isNothing(w) && (m.last() == '=' || m.last() == ':'):
		m.placeholder(boolean)
	default:
		m.literal(w)
	}
}

// afterMark reports whether the last thing emitted is a placeholder with a blank or dash after it: `17 Apr`.
func (m *masker) afterMark() bool {
	n := len(m.out)
	return m.space && m.out[n-1] == mark || !m.space && n > 2 && m.out[n-1] == '-' && m.out[n-2] == mark
}

// digitFollows reports whether the next thing after index i is a digit, blanks and a comma aside.
func (m *masker) digitFollows(i int) bool {
	i = m.skipBlanks(i)
	return i < len(m.s) && isDigit(m.s[i])
}

// dateFollows reports whether a date goes on after the weekday before index i.
func (m *masker) dateFollows(i int) bool {
	i = m.skipBlanks(i)
	j := i
	for j < len(m.s) && classes[m.s[j]]&letter != 0 {
		j++
	}
	return i < len(m.s) && (isDigit(m.s[i]) || isMonth(m.s[i:j]) && m.digitFollows(j))
}

func (m *masker) skipBlanks(i int) int {
	for i < len(m.s) && (m.s[i] == ' ' || m.s[i] == ',') {
		i++
	}
	return i
}

func isMonth(w string) bool {
	if len(w) < 3 || w[0] < 'A' || w[0] > 'S' {
		return false
	}
	switch w {
	case "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
		"January", "February", "March", "April", "June", "July", "August", "September", "October", "November", "December":
		return true
	}
	return false
}

func isWeekday(w string) bool {
	if len(w) < 3 || w[0] < 'F' || w[0] > 'W' {
		return false
	}
	switch w {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
		"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday":
		return true
	}
	return false
}

// isNothing reports whether w stands for nothing where a value is expected; elsewhere these are words.
func isNothing(w string) bool {
	switch w {
	case "nil", "none", "None", "NONE":
		return true
	}
	return false
}

// isConstant reports whether w is true, false or null, in lower case, capitals or with one capital.
func isConstant(w string) bool {
	if len(w) < 4 || len(w) > 5 || w[len(w)-1]|0x20 != 'e' && w[len(w)-1]|0x20 != 'l' {
		return false
	}
	switch w {
	case "true", "false", "null", "True", "False", "Null", "TRUE", "FALSE", "NULL":
		return true
	}
	return false
}

// terms are technical terms whose digits are part of their name.
var terms = setOf("ipv4 ipv6 http2 http3 oauth2 ssh2 socks4 socks5 tls1 ssl3 saml2 l2tp layer7 " +
	"utf8 utf-8 utf16 utf-16 utf32 utf8mb4 ucs2 latin1 cp1252 " +
	"sha1 sha-1 sha2 sha256 sha-256 sha384 sha512 sha-512 md5 crc32 crc32c blake2b ed25519 " +
	"aes128 aes256 rc4 x509 x25519 pkcs1 pkcs8 pkcs12 pbkdf2 base32 base58 base62 base64 " +
	"x86 x64 x86_64 i386 i686 amd64 arm64 armv7 aarch64 win32 win64 " +
	"int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 i32 i64 u32 u64 " +
	"log4j log4j2 slf4j neo4j k8s k3s i18n l10n s3 ec2 b2b b2c p2p h2 h2c e2e " +
	"bzip2 lz4 mp3 mp4 h264 h265 web3 ext2 ext3 ext4 psycopg2 boto3 urllib3 python2 python3")

// isTerm reports whether w is a technical term, in any case.
func isTerm(w string) bool {
	if len(w) > 8 {
		return len(w) == len("base64url") && strings.EqualFold(w, "base64url")
	}
	return terms.has(wordKey(eight(w, 0), len(w)))
}
