// Package naming derives object names of the mesh API from texts.
package naming

import (
	"crypto/md5" //nolint:gosec // names are shortened this way on the wire; nothing is secured by it
	"encoding/hex"
	"strings"
)

// Names longer than maxName bytes are cut to nameHead bytes and completed with
// digits of a hash.
const (
	maxName  = 63
	nameHead = 31
)

// Sanitise turns a text into an object name: separators become dashes, brackets,
// quotes and line ends are dropped, a result of more than 63 bytes is cut and
// made unique with a hash, and all letters become lower case. The results equal
// those of the original implementation of this API.
func Sanitise(text string) string {
	name := strings.Map(func(r rune) rune {
		switch r {
		case '*', '/', '.', ':', '_', ' ':
			return '-'
		case '[', ']', '\n', '"', '\'':
			return -1
		}
		return r
	}, text)
	if len(name) > maxName {
		name = name[:nameHead] + "-" + Digest(name)[:nameHead]
	}
	return strings.ToLower(name)
}

// Digest returns the MD5 of a text in hexadecimal. A few of its digits
// distinguish objects whose names would be equal.
func Digest(text string) string {
	sum := md5.Sum([]byte(text)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}
