package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/hack/lab/echo"
)

// tcpConn sends lines. That a connection is accepted says nothing, as sidecars
// accept every one: only a line that answers counts.
type tcpConn struct{ *kept }

func (c *tcpConn) exchange(ctx context.Context, request *Request, outcome *Outcome) bool {
	line, err := lineOf(request)
	if err != nil {
		outcome.fail(FailedOther, err)
		return false
	}
	release := c.interruptedBy(ctx)
	defer release()

	_, failed := c.conn.Write(line)
	answer, err := c.readLine()
	if err != nil {
		if failed != nil {
			err = fmt.Errorf("cannot send the line: %w", failed)
		}
		outcome.fail(classify(ctx, err), err)
		setAnswer(outcome, answer)
		return false
	}
	setAnswer(outcome, bytes.TrimRight(answer, "\r\n"))
	if outcome.Seen == nil {
		outcome.fail(FailedOther, errors.New("the answer does not come from an echo server"))
		return false
	}
	if !release() {
		return false
	}
	c.keep()
	return true
}

// readLine returns what it got before an error, too.
func (c *tcpConn) readLine() ([]byte, error) {
	if err := c.resume(); err != nil {
		return nil, err
	}
	var answer []byte
	for len(answer) < longestAnswer {
		part, err := c.reader.ReadSlice('\n')
		answer = append(answer, part...)
		if err == nil {
			return answer, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return answer, err
		}
	}
	return answer, fmt.Errorf("the answer is longer than %d bytes: %w", longestAnswer, io.ErrShortBuffer)
}

// lineOf writes the ID and the orders as words that echo understands.
func lineOf(request *Request) ([]byte, error) {
	words := map[string]string{}
	for name, value := range request.Headers {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-lab-") {
			words[lower] = value
		}
	}
	if request.ID != "" {
		words[echo.HeaderID] = request.ID
	}
	var line []string
	for _, name := range slices.Sorted(maps.Keys(words)) {
		line = append(line, name+"="+url.QueryEscape(words[name]))
	}
	if len(request.Body) > 0 {
		line = append(line, string(request.Body))
	}
	text := strings.Join(line, " ")
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("the body of a TCP request must be part of one line")
	}
	return []byte(text + "\n"), nil
}
