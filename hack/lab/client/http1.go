package client

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/meshctl/meshctl/hack/lab/echo"
)

const (
	// longestAnswer bounds what is read of an answer.
	longestAnswer = 1 << 20
	// longestBody is how much of it is kept if it does not come from echo.
	longestBody = 512
)

// http1Conn speaks HTTP/1.1. It is not net/http's Transport, which sends some
// requests again when a kept connection fails.
type http1Conn struct{ *kept }

func (c *http1Conn) exchange(ctx context.Context, request *Request, outcome *Outcome) bool {
	sent, err := newHTTPRequest(ctx, request)
	if err != nil {
		outcome.fail(FailedOther, err)
		return false
	}
	release := c.interruptedBy(ctx)
	defer release()

	writer := bufio.NewWriter(c.conn)
	failed := sent.Write(writer)
	if failed == nil {
		failed = writer.Flush()
	}
	// Who answers before it has read the request may close: try to read.
	response, err := c.read(sent)
	if err != nil {
		if failed != nil {
			err = fmt.Errorf("cannot send the request: %w", failed)
		}
		outcome.fail(classify(ctx, err), err)
		return false
	}
	readResponse(ctx, response, nil, outcome)
	if failed != nil || outcome.Failure != Answered || response.Close || !release() {
		return false
	}
	c.keep()
	return true
}

// read reads the response, past informational ones.
func (c *http1Conn) read(sent *http.Request) (*http.Response, error) {
	if err := c.resume(); err != nil {
		return nil, err
	}
	for {
		response, err := http.ReadResponse(c.reader, sent)
		if err != nil {
			return nil, err
		}
		if response.StatusCode >= http.StatusOK || response.StatusCode == http.StatusSwitchingProtocols {
			return response, nil
		}
	}
}

// newHTTPRequest builds the request without headers that nobody asked for.
func newHTTPRequest(ctx context.Context, request *Request) (*http.Request, error) {
	method, path := request.Method, request.Path
	if method == "" {
		method = http.MethodGet
	}
	if path == "" {
		path = "/"
	}
	target, err := url.ParseRequestURI(path)
	if err != nil || target.Scheme != "" {
		return nil, fmt.Errorf("invalid path %q: must be a path with an optional query", path)
	}

	authority := authorityOf(request)
	if !httpguts.ValidHostHeader(authority) {
		return nil, fmt.Errorf("invalid host %q", authority)
	}
	target.Scheme, target.Host = "http", authority

	var body io.Reader // must be nil, not a nil *bytes.Reader
	if len(request.Body) > 0 {
		body = bytes.NewReader(request.Body)
	}
	sent, err := http.NewRequestWithContext(ctx, method, "http://lab", body)
	if err != nil {
		return nil, fmt.Errorf("cannot build the request: %w", err)
	}
	sent.URL, sent.Host = target, authority
	sent.Header.Set("User-Agent", "") // is not sent
	for name, value := range request.Headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("invalid header %q: %q", name, value)
		}
		if strings.EqualFold(name, "host") {
			sent.Host = value
			continue
		}
		sent.Header.Set(name, value)
	}
	if request.ID != "" {
		sent.Header.Set(echo.HeaderID, request.ID)
	}
	return sent, nil
}

// authorityOf is what applications send for a URL with the host and port.
func authorityOf(request *Request) string {
	host := request.Host
	if host == "" {
		host = request.Address.String()
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
		host = "[" + host + "]"
	}
	if request.Port == 80 {
		return host
	}
	return host + ":" + strconv.Itoa(int(request.Port))
}

// readResponse fills in the outcome. A protocol inside of HTTP says by unpack
// what of the body is its answer.
func readResponse(ctx context.Context, response *http.Response, unpack func([]byte) []byte, outcome *Outcome) {
	outcome.Status = response.StatusCode
	body, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err == nil && len(body) == longestAnswer {
		err = fmt.Errorf("the answer is longer than %d bytes", longestAnswer)
	}
	_ = response.Body.Close() // everything was read
	if err != nil {
		outcome.fail(classify(ctx, err), err)
	}
	outcome.Headers = map[string]string{}
	for _, headers := range []http.Header{response.Header, response.Trailer} {
		for name, values := range headers {
			outcome.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	if unpack != nil {
		body = unpack(body)
	}
	setAnswer(outcome, body)
}

func setAnswer(outcome *Outcome, body []byte) {
	if seen, ok := echo.ParseHeader(outcome.Headers[echo.HeaderSeen]); ok {
		outcome.Seen = seen
	} else if seen, ok := echo.Parse(body); ok {
		outcome.Seen = seen
	} else {
		outcome.Body = string(body[:min(len(body), longestBody)])
	}
}
