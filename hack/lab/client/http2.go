package client

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"

	"golang.org/x/net/http2"
)

// http2Conn speaks HTTP/2 with prior knowledge, and gRPC. It is a single
// connection of the library, which does not send requests again.
type http2Conn struct{ conn *http2.ClientConn }

func newHTTP2Conn(conn net.Conn) (exchanger, error) {
	transport := &http2.Transport{AllowHTTP: true, DisableCompression: true}
	client, err := transport.NewClientConn(conn)
	if err != nil {
		return nil, fmt.Errorf("cannot set up HTTP/2: %w", err)
	}
	return &http2Conn{client}, nil
}

func (c *http2Conn) alive() bool { return c.conn.CanTakeNewRequest() }

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
	response, err := c.conn.RoundTrip(sent)
	if err != nil {
		outcome.fail(classify(ctx, err), err)
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
	frame := make([]byte, 5, 5+len(request.Body)) // not compressed, length
	binary.BigEndian.PutUint32(frame[1:], uint32(len(request.Body)))
	call.Body = append(frame, request.Body...)
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
