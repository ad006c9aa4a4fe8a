package echo

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// longestLine bounds the first line of a connection.
const longestLine = 64 << 10

// tlsHandshake is the first byte of a TLS connection.
const tlsHandshake = 0x16

// sniff looks at the first line of a connection without consuming it. HTTP of
// any version is HTTP1; a connection that nobody can answer is "".
func sniff(reader *bufio.Reader) (Protocol, error) {
	for ahead := 1; ahead <= longestLine; ahead = reader.Buffered() + 1 {
		_, err := reader.Peek(ahead)
		got, _ := reader.Peek(reader.Buffered()) // what is buffered can be had
		switch {
		case len(got) > 0 && got[0] == tlsHandshake:
			// A server without TLS gives up at once, instead of waiting for the
			// end of a line that never comes.
			return "", nil
		case bytes.IndexByte(got, '\n') >= 0:
			if isRequestLine(got[:bytes.IndexByte(got, '\n')]) {
				return HTTP1, nil
			}
			return TCP, nil
		case errors.Is(err, io.EOF) && len(got) > 0:
			return TCP, nil
		case err != nil:
			return "", err
		}
	}
	return "", nil
}

// isRequestLine recognizes "METHOD target HTTP/x.y", which includes the first
// line of HTTP/2's preface.
func isRequestLine(line []byte) bool {
	parts := bytes.Split(bytes.TrimSuffix(line, []byte("\r")), []byte(" "))
	return len(parts) == 3 && len(parts[0]) > 0 && bytes.HasPrefix(parts[2], []byte("HTTP/"))
}
