package client_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/hack/lab/client"
)

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			listener, addr := listen(t)
			_ = listener.Close()
			got := to(addr).Send(t.Context(), client.Request{Protocol: protocol, Host: "a", Port: addr.Port()})
			if got.Failure != client.FailedRefused || got.Err == "" || got.Status != 0 || got.GRPCStatus != -1 || got.Resolved != addr.Addr() {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A connection that is accepted, as every one is by a sidecar, is no answer.
func TestReset(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			addr := handle(t, func(conn *net.TCPConn) {
				_, _ = conn.Read(make([]byte, 1<<10))
				_ = conn.SetLinger(0)
			})
			got := to(addr).Send(t.Context(), client.Request{Protocol: protocol, Host: "a", Port: addr.Port()})
			if got.Failure != client.FailedReset {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			addr := handle(t, func(conn *net.TCPConn) {
				_, _ = conn.Read(make([]byte, 1<<10))
				_ = conn.CloseWrite()
				for { // until the client has gone
					if _, err := conn.Read(make([]byte, 1<<10)); err != nil {
						return
					}
				}
			})
			got := to(addr).Send(t.Context(), client.Request{Protocol: protocol, Host: "a", Port: addr.Port()})
			if got.Failure != client.FailedClosed {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	_, addr := startEcho(t)
	const timeout = 20 * time.Millisecond
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			request := client.Request{
				Protocol: protocol, Host: "a", Port: addr.Port(), Timeout: timeout,
				Headers: map[string]string{"x-lab-delay": "1h"},
			}
			session := to(addr).NewSession()
			defer session.Close()
			got := session.Send(t.Context(), request)
			if got.Failure != client.FailedTimeout || got.Duration < timeout {
				t.Errorf("%+v", got)
			}
			// An answer that comes late is not taken for that of the next request.
			request.Headers, request.Timeout = nil, 0
			if got := session.Send(t.Context(), request); got.Seen == nil || got.Seen.Headers["x-lab-delay"] != nil {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestTimeoutOfDialing(t *testing.T) {
	t.Parallel()
	c := &client.Client{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	got := c.Send(t.Context(), client.Request{Protocol: client.HTTP1, Host: "192.0.2.1", Port: 80, Timeout: time.Millisecond})
	if got.Failure != client.FailedTimeout {
		t.Errorf("%+v", got)
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			addr := handle(t, func(conn *net.TCPConn) {
				for {
					if _, err := conn.Read(make([]byte, 1<<10)); err != nil {
						return
					}
					cancel()
				}
			})
			got := to(addr).Send(ctx, client.Request{Protocol: protocol, Host: "a", Port: addr.Port()})
			if got.Failure != client.FailedOther {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestNotResolved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lookup client.Resolver
		err    string
	}{
		"error": {func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("server failure") }, "server failure"},
		"empty": {func(context.Context, string) ([]netip.Addr, error) { return nil, nil }, `the resolver returned no address for "reviews"`},
		"none":  {nil, `cannot look up "reviews": the client has no resolver`},
	} {
		c := &client.Client{Lookup: test.lookup, Dial: func(context.Context, string, string) (net.Conn, error) {
			t.Errorf("%s: dialed", name)
			return nil, errors.New("unexpected")
		}}
		got := c.Send(t.Context(), client.Request{Protocol: client.HTTP1, Host: "reviews", Port: 80})
		if got.Failure != client.FailedResolve || got.Err != test.err || got.Resolved.IsValid() {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestInvalidRequests(t *testing.T) {
	t.Parallel()
	_, addr := startEcho(t)
	for name, test := range map[string]struct {
		request client.Request
		err     string
	}{
		"protocol":     {client.Request{Protocol: "UDP"}, `invalid protocol "UDP": must be one of: HTTP/1.1, HTTP/2, gRPC, TCP`},
		"path":         {client.Request{Protocol: client.HTTP1, Path: "a"}, `invalid path "a": must be a path with an optional query`},
		"URL":          {client.Request{Protocol: client.HTTP2, Path: "http://a/"}, `invalid path "http://a/": must be a path with an optional query`},
		"method":       {client.Request{Protocol: client.HTTP1, Method: "A B"}, `cannot build the request: net/http: invalid method "A B"`},
		"header name":  {client.Request{Protocol: client.HTTP1, Headers: map[string]string{"a b": "c"}}, `invalid header "a b": "c"`},
		"header value": {client.Request{Protocol: client.GRPC, Headers: map[string]string{"a": "b\nc: d"}}, `invalid header "a": "b\nc: d"`},
		"host":         {client.Request{Protocol: client.HTTP1, Host: "a b"}, `invalid host "a b:`},
		"line":         {client.Request{Protocol: client.TCP, Body: []byte("a\nb")}, "the body of a TCP request must be part of one line"},
	} {
		test.request.Port = addr.Port()
		if test.request.Host == "" {
			test.request.Host = "a"
		}
		got := to(addr).Send(t.Context(), test.request)
		if got.Failure != client.FailedOther || !strings.HasPrefix(got.Err, test.err) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
