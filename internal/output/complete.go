package output

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// encodedCommand matches a suggested command in encoded JSON: it has no escapes,
// so it lies within one string.
const encodedCommand = "['`]meshctl [^'`\"\\\\]+['`]"

// completeCommands completes the commands that strings of encoded JSON suggest.
func completeCommands(encoded []byte, complete func(text string) string) []byte {
	if complete == nil || !bytes.Contains(encoded, []byte("meshctl ")) {
		return encoded
	}
	return regexp.MustCompile(encodedCommand).ReplaceAllFunc(encoded, func(command []byte) []byte {
		var whole strings.Builder
		encoder := json.NewEncoder(&whole)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(complete(string(command))); err != nil {
			return command // a string can be encoded
		}
		return []byte(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(whole.String(), "\n"), `"`), `"`))
	})
}
