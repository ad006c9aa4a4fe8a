package client

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"

	"golang.org/x/net/http2"
)

// http2Conn speaks HTTP/2 with prior knowledge, and gRPC. It is a single
// connection of the library, which does not send requests again.
type http2Conn struct {
	conn *http2.ClientConn
	raw  *observedConn
}

func newHTTP2Conn(conn net.Conn) (exchanger, error) {
	raw := &observedConn{Conn: conn}
	transport := &http2.Transport{AllowHTTP: true, DisableCompression: true}
	client, err := transport.NewClientConn(raw)
	if err != nil {
		return nil, fmt.Errorf("cannot set up HTTP/2: %w", err)
	}
	return &http2Conn{client, raw}, nil
}

// observedConn remembers the first error of a connection: the library replaces
// it by one that says only that the connection cannot be used.
type observedConn struct {
	net.Conn
	first atomic.Pointer[error]
}

func (c *observedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.observe(err)
}

func (c *observedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, c.observe(err)
}

func (c *observedConn) observe(err error) error {
	if err != nil {
		c.first.CompareAndSwap(nil, &err)
	}
	return err
}

// fail names the failure of an exchange.
func (c *http2Conn) fail(ctx context.Context, err error, outcome *Outcome) {
	var stream http2.StreamError
	if first := c.raw.first.Load(); first != nil && !errors.As(err, &stream) {
		err = fmt.Errorf("%w: %w", err, *first)
		outcome.fail(classify(ctx, *first), err)
		return
	}
	failure := classify(ctx, err)
	if failure == FailedOther && ctx.Err() == nil && c.conn.State().Closing {
		failure = FailedClosed // by a GOAWAY that came before the request
	}
	outcome.fail(failure, err)
}

// alive asks for Closed, too, as the library lets a closed connection that had
// no request take one, in order to fail it.
func (c *http2Conn) alive() bool { return c.conn.CanTakeNewRequest() && !c.conn.State().Closed }

func (c *http2Conn) close() { _ = c.conn.Close() } // what arrived has been read

func (c *http2Conn) exchange(ctx context.Context, request *Request, outcome *Outcome) bool {
	var unpack func([]byte) []byte
	if request.Protocol == GRPC {
		request, unpack = asGRPC(request), unframe
	}
	sent, err := newHTTPRequest(ctx, request)
	if err != nil {
		outcome.fail(FailedOther, err)
		return true
	}
	if request.Protocol == GRPC {
		sent.ContentLength = -1 // gRPC streams: it does not send a length
	}
	response, err := c.conn.RoundTrip(sent)
	if err != nil {
		c.fail(ctx, err, outcome)
		return c.alive()
	}
	readResponse(ctx, response, unpack, outcome)
	if request.Protocol == GRPC {
		if status, err := strconv.Atoi(outcome.Headers["grpc-status"]); err == nil && status >= 0 {
			outcome.GRPCStatus = status
		}
	}
	return c.alive()
}

// asGRPC is the request of HTTP/2 that a call is.
func asGRPC(request *Request) *Request {
	call := *request
	if call.Method == "" {
		call.Method = http.MethodPost
	}
	if call.Path == "" {
		call.Path = DefaultMethod
	}
	call.Headers = maps.Clone(request.Headers)
	if call.Headers == nil {
		call.Headers = map[string]string{}
	}
	call.Headers["content-type"] = "application/grpc"
	call.Headers["te"] = "trailers"
	frame := make([]byte, 5) // not compressed, length
	binary.BigEndian.PutUint32(frame[1:], uint32(len(request.Body)))
	call.Body = slices.Concat(frame, request.Body)
	return &call
}

// unframe returns the first message of a gRPC body. A body that has none comes
// from something else, and is returned whole.
func unframe(body []byte) []byte {
	if len(body) < 5 || body[0] != 0 {
		return body
	}
	message := body[5:]
	if length := binary.BigEndian.Uint32(body[1:]); uint64(length) <= uint64(len(message)) {
		return message[:length]
	}
	return body
}
