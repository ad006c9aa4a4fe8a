package echo

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/url"
	"strings"
)

// serveTCP answers lines until the client closes.
func (s *Server) serveTCP(ctx context.Context, conn net.Conn, reader *bufio.Reader) {
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil && len(line) == 0 {
			return
		}
		if !s.answerLine(ctx, conn, strings.TrimRight(string(line), "\r\n")) || err != nil {
			return
		}
	}
}

// answerLine reports whether the connection goes on.
func (s *Server) answerLine(ctx context.Context, conn net.Conn, line string) bool {
	headers := ordersOfLine(line)
	seen := Seen{
		Identity: s.Identity, Port: portOf(conn.LocalAddr()), Protocol: TCP,
		Headers: headers, Line: line, Remote: conn.RemoteAddr().String(), ID: first(headers, HeaderID),
	}
	s.memory.add(&seen)
	o, err := readOrders(headers, seen.Count)
	if err != nil {
		return writeLine(conn, map[string]string{"error": err.Error()})
	}
	if wait(ctx, o.delay) != nil || o.close {
		return false
	}
	return writeLine(conn, seen)
}

func writeLine(conn net.Conn, value any) bool {
	data, err := json.Marshal(value)
	if err != nil {
		return false
	}
	_, err = conn.Write(append(data, '\n'))
	return err == nil
}

// ordersOfLine returns the orders of a line as the headers that they would be,
// nil if there are none.
func ordersOfLine(line string) map[string][]string {
	var headers map[string][]string
	for word := range strings.FieldsSeq(line) {
		name, value, found := strings.Cut(word, "=")
		if !found || !strings.HasPrefix(name, "x-lab-") {
			continue
		}
		if unescaped, err := url.QueryUnescape(value); err == nil {
			value = unescaped
		}
		if headers == nil {
			headers = map[string][]string{}
		}
		headers[name] = append(headers[name], value)
	}
	return headers
}
