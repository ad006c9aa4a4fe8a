package client_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/echo"
)

func listen(t *testing.T) (net.Listener, netip.AddrPort) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener, netip.MustParseAddrPort(listener.Addr().String())
}

// startEcho returns a real server and its address.
func startEcho(t *testing.T) (*echo.Server, netip.AddrPort) {
	t.Helper()
	listener, addr := listen(t)
	server := &echo.Server{Identity: echo.Identity{Name: "reviews-1", Namespace: "bookinfo", Cluster: "west"}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(ctx, listener); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return server, addr
}

// handle runs a function for each connection to a server that is not echo.
func handle(t *testing.T, serve func(*net.TCPConn)) netip.AddrPort {
	t.Helper()
	listener, addr := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				serve(conn.(*net.TCPConn))
			}()
		}
	}()
	return addr
}

// to is a client that finds every host at the address.
func to(addr netip.AddrPort) *client.Client {
	return &client.Client{Lookup: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{addr.Addr()}, nil
	}}
}

func protocols() []client.Protocol {
	return []client.Protocol{client.HTTP1, client.HTTP2, client.GRPC, client.TCP}
}

func TestSend(t *testing.T) {
	t.Parallel()
	server, addr := startEcho(t)
	var dialed []string
	c := &client.Client{
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialed = append(dialed, network+" "+address)
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			if host != "reviews" {
				t.Errorf("looked up %q", host)
			}
			return []netip.Addr{addr.Addr(), netip.MustParseAddr("192.0.2.1")}, nil
		},
	}
	authority := "reviews" + strings.TrimPrefix(addr.String(), "127.0.0.1")
	request := client.Request{
		Host: "reviews", Port: addr.Port(), ID: "an id", Body: []byte("text"),
		Headers: map[string]string{"X-Lab-Delay": "1ms", "x-user": "jason"},
	}
	web := func(headers map[string][]string) map[string][]string {
		headers["x-user"], headers["x-lab-delay"], headers["x-lab-id"] = []string{"jason"}, []string{"1ms"}, []string{"an id"}
		return headers
	}
	for count, test := range []struct {
		protocol     client.Protocol
		method, path string
		status, grpc int
		want         echo.Seen
	}{
		{client.HTTP1, "PUT", "/a%2Fb//c?x=%20", 200, -1, echo.Seen{
			Method: "PUT", Path: "/a%2Fb//c?x=%20", Host: authority,
			Headers: web(map[string][]string{"content-length": {"4"}}),
		}},
		{client.HTTP2, "PURGE", "//a%2Fb?x=%20", 200, -1, echo.Seen{
			Method: "PURGE", Path: "//a%2Fb?x=%20", Host: authority,
			Headers: web(map[string][]string{"content-length": {"4"}}),
		}},
		{client.GRPC, "", "", 200, 0, echo.Seen{
			Method: "POST", Path: "/lab.Echo/Call", Host: authority,
			Headers: web(map[string][]string{"content-type": {"application/grpc"}, "te": {"trailers"}}),
		}},
		{client.TCP, "", "", 0, -1, echo.Seen{
			Line:    "x-lab-delay=1ms x-lab-id=an+id text",
			Headers: map[string][]string{"x-lab-delay": {"1ms"}, "x-lab-id": {"an id"}},
		}},
	} {
		request.Protocol, request.Method, request.Path = test.protocol, test.method, test.path
		got := c.Send(t.Context(), request)
		want := client.Outcome{Status: test.status, GRPCStatus: test.grpc, Seen: &test.want, Resolved: addr.Addr()}
		want.Seen.Identity, want.Seen.Port, want.Seen.Protocol = server.Identity, addr.Port(), test.protocol
		want.Seen.ID, want.Seen.Count = "an id", count+1
		ignored := []cmp.Option{
			cmpopts.IgnoreFields(client.Outcome{}, "Headers", "Duration"),
			cmpopts.IgnoreFields(echo.Seen{}, "Remote"), cmpopts.EquateComparable(netip.Addr{}),
		}
		if diff := cmp.Diff(want, got, ignored...); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.protocol, diff)
		}
		if got.Duration < time.Millisecond {
			t.Errorf("%s: answered after %s in spite of the delay", test.protocol, got.Duration)
		}
	}
	if diff := cmp.Diff([]string{"tcp " + addr.String(), "tcp " + addr.String(), "tcp " + addr.String(), "tcp " + addr.String()}, dialed); diff != "" {
		t.Errorf("dialed (-want +got):\n%s", diff)
	}
	if got := len(server.SeenBy("an id")); got != 4 {
		t.Errorf("the server has seen %d requests, want 4", got)
	}
}

// Nothing is sent that the request does not say.
func TestNothingIsAdded(t *testing.T) {
	t.Parallel()
	_, addr := startEcho(t)
	for _, test := range []struct {
		protocol client.Protocol
		want     map[string][]string
	}{
		{client.HTTP1, map[string][]string{}},
		{client.HTTP2, map[string][]string{}},
		{client.GRPC, map[string][]string{"content-type": {"application/grpc"}, "te": {"trailers"}}},
		{client.TCP, nil},
	} {
		got := to(addr).Send(t.Context(), client.Request{Protocol: test.protocol, Host: "a", Port: addr.Port()})
		if got.Seen == nil {
			t.Fatalf("%s: %+v", test.protocol, got)
		}
		if diff := cmp.Diff(test.want, got.Seen.Headers, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.protocol, diff)
		}
	}
}

func TestAuthority(t *testing.T) {
	t.Parallel()
	_, addr := startEcho(t)
	c := &client.Client{Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr.String())
	}}
	for name, test := range map[string]struct {
		host, address string
		port          uint16
		header        string
		want          string
	}{
		"port 80":       {host: "a.b", address: "192.0.2.1", port: 80, want: "a.b"},
		"other port":    {host: "a.b", address: "192.0.2.1", port: 443, want: "a.b:443"},
		"address":       {host: "192.0.2.1", port: 80, want: "192.0.2.1"},
		"IPv6":          {host: "2001:db8::1", port: 9080, want: "[2001:db8::1]:9080"},
		"no host":       {address: "192.0.2.1", port: 81, want: "192.0.2.1:81"},
		"header of its": {host: "a.b", address: "192.0.2.1", port: 80, header: "c.d", want: "c.d"},
	} {
		for _, protocol := range []client.Protocol{client.HTTP1, client.HTTP2, client.GRPC} {
			request := client.Request{Protocol: protocol, Host: test.host, Port: test.port}
			if test.address != "" {
				request.Address = netip.MustParseAddr(test.address)
			}
			if test.header != "" {
				request.Headers = map[string]string{"Host": test.header}
			}
			got := c.Send(t.Context(), request)
			if got.Seen == nil || got.Seen.Host != test.want {
				t.Errorf("%s in %s: want %s, got %+v", name, protocol, test.want, got)
			}
		}
	}
}

// The client gets who answered where there is no body, too.
func TestAnswersWithoutBody(t *testing.T) {
	t.Parallel()
	_, addr := startEcho(t)
	for name, test := range map[string]struct {
		request      client.Request
		status, grpc int
	}{
		"HEAD":           {client.Request{Protocol: client.HTTP1, Method: "HEAD"}, 200, -1},
		"HEAD in HTTP/2": {client.Request{Protocol: client.HTTP2, Method: "HEAD"}, 200, -1},
		"204":            {client.Request{Protocol: client.HTTP1, Headers: map[string]string{"x-lab-status": "204"}}, 204, -1},
		"redirect":       {client.Request{Protocol: client.HTTP1, Headers: map[string]string{"x-lab-status": "302", "x-lab-respond": "location=/b"}}, 302, -1},
		"gRPC fails":     {client.Request{Protocol: client.GRPC, Headers: map[string]string{"x-lab-grpc-status": "14"}}, 200, 14},
		"HTTP fails":     {client.Request{Protocol: client.GRPC, Headers: map[string]string{"x-lab-status": "503"}}, 503, -1},
	} {
		test.request.Host, test.request.Port = "a", addr.Port()
		got := to(addr).Send(t.Context(), test.request)
		if got.Failure != "" || got.Status != test.status || got.GRPCStatus != test.grpc || got.Seen == nil || got.Seen.Name != "reviews-1" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Lists of orders go by the arrivals of an ID, over any connection.
func TestOrdersByArrival(t *testing.T) {
	t.Parallel()
	server, addr := startEcho(t)
	for _, protocol := range protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			session := to(addr).NewSession()
			defer session.Close()
			request := client.Request{
				Protocol: protocol, Host: "a", Port: addr.Port(), ID: string(protocol),
				Headers: map[string]string{"x-lab-close": "2"},
			}
			switch protocol {
			case client.TCP: // has no status
			case client.GRPC:
				request.Headers["x-lab-grpc-status"] = "14,14,0"
			case client.HTTP1, client.HTTP2:
				request.Headers["x-lab-status"] = "503,503,200"
			}
			var got []client.Outcome
			for range 4 {
				got = append(got, session.Send(t.Context(), request))
			}
			// What is on its way in HTTP/2 when the server closes can end in a reset.
			if f := got[1].Failure; f != client.FailedClosed && (f != client.FailedReset || protocol == client.HTTP1) {
				t.Errorf("second: %+v", got[1])
			}
			for _, i := range []int{0, 2, 3} {
				want := map[client.Protocol][]int{
					client.HTTP1: {503, 0, 200, 200}, client.HTTP2: {503, 0, 200, 200},
					client.GRPC: {14, 0, 0, 0}, client.TCP: {0, 0, 0, 0},
				}[protocol][i]
				status := got[i].Status
				if protocol == client.GRPC {
					status = got[i].GRPCStatus
				}
				if got[i].Failure != "" || status != want || got[i].Seen == nil || got[i].Seen.Count != i+1 || got[i].Reused != (i == 3) {
					t.Errorf("number %d: %+v", i+1, got[i])
				}
			}
			if got := len(server.SeenBy(string(protocol))); got != 4 {
				t.Errorf("the server has seen %d requests, want 4", got)
			}
		})
	}
}

func TestOtherServers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("b", 600)
	addr := handle(t, func(conn *net.TCPConn) {
		_, _ = conn.Read(make([]byte, 1<<10))
		_, _ = io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 403 Forbidden\r\nServer: envoy\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 600\r\n\r\n"+long)
	})
	got := to(addr).Send(t.Context(), client.Request{Protocol: client.HTTP1, Host: "a", Port: addr.Port()})
	want := client.Outcome{
		Status: 403, GRPCStatus: -1, Body: long[:512], Resolved: addr.Addr(),
		Headers: map[string]string{"server": "envoy", "x-a": "1, 2", "content-length": "600"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(client.Outcome{}, "Duration"), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}

	// The status counts in spite of an answer that ends early.
	addr = handle(t, func(conn *net.TCPConn) {
		_, _ = conn.Read(make([]byte, 1<<10))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\nabc")
	})
	got = to(addr).Send(t.Context(), client.Request{Protocol: client.HTTP1, Host: "a", Port: addr.Port()})
	if got.Status != 200 || got.Failure != client.FailedClosed || got.Body != "abc" || got.Seen != nil {
		t.Errorf("answer that ends early: %+v", got)
	}

	// A line of something else is not an answer.
	addr = handle(t, func(conn *net.TCPConn) {
		_, _ = conn.Read(make([]byte, 1<<10))
		_, _ = io.WriteString(conn, "220 mail\r\n")
	})
	got = to(addr).Send(t.Context(), client.Request{Protocol: client.TCP, Host: "a", Port: addr.Port()})
	if got.Failure != client.FailedOther || got.Body != "220 mail" || got.Seen != nil {
		t.Errorf("line of something else: %+v", got)
	}

	// Proxies without gRPC answer calls in plain HTTP.
	server := &http.Server{
		ReadHeaderTimeout: time.Minute, Protocols: new(http.Protocols),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no upstream", http.StatusServiceUnavailable)
		}),
	}
	server.Protocols.SetUnencryptedHTTP2(true)
	listener, addr := listen(t)
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	got = to(addr).Send(t.Context(), client.Request{Protocol: client.GRPC, Host: "a", Port: addr.Port()})
	if got.Failure != "" || got.Status != 503 || got.GRPCStatus != -1 || got.Body != "no upstream\n" {
		t.Errorf("gRPC answered in plain HTTP: %+v", got)
	}
}

// A stream that is reset is a reset, and the connection is kept. A connection
// that goes away before the request was processed is closed.
func TestHTTP2Refuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// frame returns what answers a request on the stream.
		frame func(stream []byte) []byte
		want  client.Failure
		kept  bool
	}{
		"RST_STREAM": {func(stream []byte) []byte { // REFUSED_STREAM
			return slices.Concat([]byte{0, 0, 4, 3, 0}, stream, []byte{0, 0, 0, 7})
		}, client.FailedReset, true},
		"GOAWAY": {func([]byte) []byte { // NO_ERROR, after no stream
			return []byte{0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		}, client.FailedClosed, false},
		"GOAWAY with an error": {func([]byte) []byte { // ENHANCE_YOUR_CALM
			return []byte{0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11}
		}, client.FailedClosed, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := handle(t, func(conn *net.TCPConn) { answerFrames(conn, test.frame) })
			session := to(addr).NewSession()
			defer session.Close()
			for i := range 2 {
				got := session.Send(t.Context(), client.Request{Protocol: client.HTTP2, Host: "a", Port: addr.Port()})
				if got.Failure != test.want || got.Reused != (i > 0 && test.kept) {
					t.Errorf("%+v", got)
				}
			}
		})
	}
}

// answerFrames is a server of HTTP/2 that answers each HEADERS with a frame.
func answerFrames(conn io.ReadWriter, frame func(stream []byte) []byte) {
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	_, _ = conn.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // SETTINGS
	for {
		header := make([]byte, 9)
		if _, err := io.ReadFull(conn, header); err != nil {
			return
		}
		length := binary.BigEndian.Uint32(append([]byte{0}, header[:3]...))
		if _, err := io.CopyN(io.Discard, conn, int64(length)); err != nil {
			return
		}
		if header[3] == 1 { // HEADERS
			_, _ = conn.Write(frame(header[5:]))
		}
	}
}
