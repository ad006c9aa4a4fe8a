package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// closing is a server of HTTP/1 and TCP whose connections end after one answer.
// It returns when the connection has ended.
func closing(t *testing.T, answer string) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1<<10))
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	}()
	return netip.MustParseAddrPort(listener.Addr().String())
}

// A connection that ended between two requests is replaced, and that is known.
func TestEndedConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	for protocol, answer := range map[Protocol]string{
		HTTP1: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
		TCP:   `{"protocol":"TCP"}` + "\n",
	} {
		addr := closing(t, answer)
		session := new(Client).NewSession()
		for range 3 {
			got := session.Send(t.Context(), Request{Protocol: protocol, Host: "127.0.0.1", Port: addr.Port()})
			if got.Failure != Answered || got.Reused {
				t.Errorf("%s: %+v", protocol, got)
			}
			// Wait until the end of the connection has arrived.
			var watched *kept
			switch conn := session.conn.(type) {
			case *http1Conn:
				watched = conn.kept
			case *tcpConn:
				watched = conn.kept
			default:
				t.Fatalf("%s: the connection was not kept", protocol)
			}
			err := <-watched.ended
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s: %v", protocol, err)
			}
			watched.ended <- err
		}
		session.Close()
	}
}

// A request on a kept connection that ends under it fails: it is not sent again.
func TestKeptConnectionEndsUnderARequest(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	connections := make(chan int, 1)
	go func() {
		count := 0
		for {
			conn, err := listener.Accept()
			if err != nil {
				connections <- count
				return
			}
			count++
			_, _ = conn.Read(make([]byte, 1<<10))
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab")
			_, _ = conn.Read(make([]byte, 1<<10)) // the second request
			_ = conn.Close()
		}
	}()
	session := new(Client).NewSession()
	defer session.Close()
	addr := netip.MustParseAddrPort(listener.Addr().String())
	request := Request{Protocol: HTTP1, Host: "127.0.0.1", Port: addr.Port()}
	if got := session.Send(t.Context(), request); got.Failure != Answered {
		t.Errorf("first: %+v", got)
	}
	if got := session.Send(t.Context(), request); got.Failure != FailedClosed || !got.Reused {
		t.Errorf("second: %+v", got)
	}
	_ = listener.Close()
	if got := <-connections; got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}

func TestConnectionIsOfOneHostAndProtocol(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	server.Handler = http.NotFoundHandler()
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	addr := netip.MustParseAddrPort(listener.Addr().String())

	session := (&Client{Lookup: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{addr.Addr()}, nil
	}}).NewSession()
	defer session.Close()
	for i, test := range []struct {
		protocol Protocol
		host     string
		reused   bool
	}{
		{HTTP1, "a", false},
		{HTTP1, "a", true},
		{HTTP1, "b", false},
		{HTTP2, "b", false},
		{GRPC, "b", true},
		{HTTP2, "b", true},
		{HTTP1, "b", false},
	} {
		got := session.Send(t.Context(), Request{Protocol: test.protocol, Host: test.host, Port: addr.Port()})
		if got.Status != http.StatusNotFound || got.Reused != test.reused || got.Resolved != addr.Addr() {
			t.Errorf("number %d: %+v", i, got)
		}
	}
}

// The library's own words for a connection that ended before the request do not
// say how it ended.
func TestHTTP2ConnectionEndsBeforeTheRequest(t *testing.T) {
	t.Parallel()
	for want, end := range map[Failure]func(*net.TCPConn) error{
		FailedClosed: (*net.TCPConn).CloseWrite,
		FailedReset:  func(conn *net.TCPConn) error { return errors.Join(conn.SetLinger(0), conn.Close()) },
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		near, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		far, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conn, err := newHTTP2Conn(near)
		if err != nil {
			t.Fatal(err)
		}
		if err := end(far.(*net.TCPConn)); err != nil {
			t.Fatal(err)
		}
		for conn.alive() { // until the end has arrived
			runtime.Gosched()
		}
		outcome := Outcome{}
		request := Request{Protocol: HTTP2, Host: "a", Port: 80}
		if conn.exchange(t.Context(), &request, &outcome) || outcome.Failure != want {
			t.Errorf("want %s, got %+v", want, outcome)
		}
		conn.close()
		_ = far.Close()
		_ = listener.Close()
	}
}
