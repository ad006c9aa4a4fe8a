// Package client sends requests as the application in a pod would: without
// retries, redirects, proxies or headers of its own, so that what comes back is
// what the mesh did.
package client

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/meshctl/meshctl/hack/lab/echo"
)

// DefaultTimeout applies to requests that name none.
const DefaultTimeout = 15 * time.Second

// DefaultMethod is what a call of gRPC without a path is for.
const DefaultMethod = "/lab.Echo/Call"

// Dialer connects like net.Dialer.DialContext, for example from inside the
// network namespace of a pod.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Resolver looks up the IPv4 addresses of a host; see LookupVia.
type Resolver func(ctx context.Context, host string) ([]netip.Addr, error)

// Protocol is what a request is sent in.
type Protocol = echo.Protocol

// The protocols of requests.
const (
	HTTP1 = echo.HTTP1
	// HTTP2 is sent with prior knowledge, without TLS.
	HTTP2 = echo.HTTP2
	// GRPC is a unary call over HTTP2.
	GRPC = echo.GRPC
	TCP  = echo.TCP
)

// Request is one request of an application.
type Request struct {
	Protocol Protocol
	// Host is the name as the application uses it. The authority of HTTP is
	// Host:Port, or Host alone for port 80; a header named host overrides it.
	Host string
	// Address is dialed instead of looking up Host, if it is valid.
	Address netip.Addr
	Port    uint16
	// Method is GET, or POST for gRPC, if empty.
	Method string
	// Path is the request target with its query; empty is / or DefaultMethod.
	Path string
	// Headers are sent in addition to x-lab-id. In TCP, only those that begin
	// with x-lab- are: they are words of the line.
	Headers map[string]string
	// Body is the body of HTTP, the message of gRPC, or the end of the line of TCP.
	Body []byte
	// Timeout covers everything from the lookup on. It is never told to others:
	// set a header (grpc-timeout) for that.
	Timeout time.Duration
	// ID is sent as x-lab-id if it is not empty.
	ID string
}

// Failure says why there is no answer.
type Failure string

// The failures of requests.
const (
	// Answered is no failure.
	Answered Failure = ""
	// FailedResolve means that the host was not resolved; Outcome.Err tells
	// unknown names from servers that do not answer.
	FailedResolve Failure = "resolve"
	FailedRefused Failure = "refused"
	// FailedReset is a reset of the connection, or of the stream in HTTP2.
	FailedReset   Failure = "reset"
	FailedTimeout Failure = "timeout"
	// FailedClosed means that the connection ended in an orderly way.
	FailedClosed Failure = "closed"
	FailedOther  Failure = "other"
)

// Outcome is what became of a request. Status and Failure are both set if an
// answer ended early.
type Outcome struct {
	// Status is the HTTP status, 0 without one and for TCP.
	Status int `json:"status,omitempty"`
	// GRPCStatus is -1 if there is none.
	GRPCStatus int `json:"grpcStatus"`
	// Seen is nil unless an echo server answered.
	Seen *echo.Seen `json:"seen,omitempty"`
	// Headers are those of the response and its trailers, with lower-case names;
	// several values are joined by ", ".
	Headers map[string]string `json:"headers,omitempty"`
	// Body is the beginning of an answer that is not Seen.
	Body    string  `json:"body,omitempty"`
	Failure Failure `json:"failure,omitempty"`
	// Err is the text of the failure.
	Err      string        `json:"err,omitempty"`
	Duration time.Duration `json:"duration"`
	// Resolved is the address that was dialed.
	Resolved netip.Addr `json:"resolved,omitzero"`
	// Reused says that the request went over a kept connection.
	Reused bool `json:"reused,omitempty"`
}

// fail keeps the first failure.
func (o *Outcome) fail(failure Failure, err error) {
	if o.Failure == Answered {
		o.Failure, o.Err = failure, err.Error()
	}
}

// Client sends requests.
type Client struct {
	// Dial is net.Dialer.DialContext if nil.
	Dial Dialer
	// Lookup may be nil if every request has an address, or one for its Host.
	Lookup Resolver
}

// Send sends a request over a connection of its own.
func (c *Client) Send(ctx context.Context, request Request) Outcome {
	session := c.NewSession()
	defer session.Close()
	return session.Send(ctx, request)
}
