package echo_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/meshctl/meshctl/hack/lab/echo"
)

// identity is who the servers of these tests are.
func identity() echo.Identity {
	return echo.Identity{
		Name: "reviews-1", Workload: "reviews", Namespace: "bookinfo", Cluster: "west",
		Labels: map[string]string{"version": "v1"},
	}
}

// running is a server of a test.
type running struct {
	*echo.Server
	addr netip.AddrPort
	stop context.CancelFunc
	// done gets what Serve returns.
	done chan error
}

func start(t *testing.T) *running {
	t.Helper()
	listener := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{
		Server: &echo.Server{Identity: identity()},
		addr:   netip.MustParseAddrPort(listener.Addr().String()),
		stop:   cancel, done: make(chan error, 1),
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.done <- r.Serve(ctx, listener)
	}()
	t.Cleanup(func() { cancel(); <-stopped })
	return r
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// talk is a connection that is spoken to by hand.
type talk struct {
	t *testing.T
	net.Conn
	*bufio.Reader
}

func (r *running) talk(t *testing.T) *talk {
	t.Helper()
	conn, err := net.Dial("tcp", r.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &talk{t, conn, bufio.NewReader(conn)}
}

func (c *talk) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatal(err)
	}
}

// response reads an answer of HTTP/1.
func (c *talk) response(method string) (*http.Response, string) {
	c.t.Helper()
	response, err := http.ReadResponse(c.Reader, &http.Request{Method: method})
	if err != nil {
		c.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response, string(body)
}

func parse(t *testing.T, text string) echo.Seen {
	t.Helper()
	seen, ok := echo.Parse([]byte(text))
	if !ok {
		t.Fatalf("not an answer of echo: %q", text)
	}
	return *seen
}

func TestHTTP1(t *testing.T) {
	t.Parallel()
	server := start(t)
	conn := server.talk(t)

	conn.say("PATCH /a%2Fb?q=1&q=%20 HTTP/1.1\r\nHost: reviews-shadow:9080\r\nX-Two: 1\r\nx-two: 2\r\n" +
		"x-forwarded-client-cert: By=spiffe://x/me;URI=spiffe://x/caller\r\nx-envoy-attempt-count: 3\r\nx-lab-id: a\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
	response, body := conn.response("PATCH")
	want := echo.Seen{
		Identity: identity(), Port: server.addr.Port(), Protocol: echo.HTTP1, Method: "PATCH",
		Path: "/a%2Fb?q=1&q=%20", Host: "reviews-shadow:9080",
		Headers: map[string][]string{
			"x-two": {"1", "2"}, "x-forwarded-client-cert": {"By=spiffe://x/me;URI=spiffe://x/caller"},
			"x-envoy-attempt-count": {"3"}, "x-lab-id": {"a"},
		},
		Peer: "spiffe://x/caller", Attempt: 3, Remote: conn.LocalAddr().String(), ID: "a", Count: 1,
	}
	if diff := cmp.Diff(want, parse(t, body)); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
	if response.StatusCode != http.StatusOK || response.Close {
		t.Errorf("answered %s, close %v", response.Status, response.Close)
	}

	// The same connection goes on; a preflight is a request like others.
	conn.say("OPTIONS * HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\nAccess-Control-Request-Method: PUT\r\n\r\n")
	_, body = conn.response("OPTIONS")
	if got := parse(t, body); got.Method != http.MethodOptions || got.Path != "*" || got.Count != 0 || got.Headers["origin"][0] != "http://b" {
		t.Errorf("seen %+v", got)
	}

	conn.say("HEAD /h HTTP/1.1\r\nHost: a\r\nx-lab-status: 404\r\n\r\n")
	response, _ = conn.response("HEAD")
	seen, ok := echo.ParseHeader(response.Header.Get(echo.HeaderSeen))
	if !ok || seen.Path != "/h" || response.StatusCode != http.StatusNotFound {
		t.Errorf("answered %s, seen %+v", response.Status, seen)
	}

	conn.say("GET / HTTP/1.1\r\nHost: a\r\nx-lab-status: 204\r\nx-lab-respond: x-a=1\r\n\r\n")
	response, _ = conn.response("GET")
	if _, ok := echo.ParseHeader(response.Header.Get(echo.HeaderSeen)); !ok || response.Header.Get("x-a") != "1" {
		t.Errorf("headers %v", response.Header)
	}

	conn.say("GET / HTTP/1.1\r\nHost: a\r\nx-lab-delay: soon\r\n\r\n")
	if response, body = conn.response("GET"); response.StatusCode != http.StatusBadRequest {
		t.Errorf("answered %s: %s", response.Status, body)
	}

	conn.say("GET / HTTP/1.0\r\n\r\n")
	if _, body = conn.response("GET"); parse(t, body).Protocol != "HTTP/1.0" {
		t.Errorf("answered %s", body)
	}
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	server := start(t)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s/x?y", server.addr), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Lab-Id", "two")
	for want := 1; want <= 2; want++ {
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		got := parse(t, string(body))
		if got.Protocol != echo.HTTP2 || got.Path != "/x?y" || got.Host != server.addr.String() ||
			got.Port != server.addr.Port() || got.Count != want || got.Remote == "" {
			t.Errorf("seen %+v", got)
		}
	}
}

func TestTCP(t *testing.T) {
	t.Parallel()
	server := start(t)
	conn := server.talk(t)
	for count, line := range []string{"x-lab-id=a+b x-lab-delay=1ms hello GET / HTTP", "x-lab-id=a+b\r"} {
		conn.say(line + "\n")
		answer, err := conn.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		want := echo.Seen{
			Identity: identity(), Port: server.addr.Port(), Protocol: echo.TCP,
			Headers: map[string][]string{"x-lab-id": {"a b"}, "x-lab-delay": {"1ms"}},
			Line:    strings.TrimSuffix(line, "\r"), Remote: conn.LocalAddr().String(), ID: "a b", Count: count + 1,
		}
		if count > 0 {
			delete(want.Headers, "x-lab-delay")
		}
		if diff := cmp.Diff(want, parse(t, answer)); diff != "" {
			t.Errorf("seen (-want +got):\n%s", diff)
		}
	}
	conn.say("x-lab-delay=soon\n")
	if answer, err := conn.ReadString('\n'); err != nil || !strings.Contains(answer, `{"error":"invalid x-lab-delay`) {
		t.Errorf("answered %q, %v", answer, err)
	}
	// Without an end of line, the end of what the client says is one.
	conn.say("last")
	if err := conn.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got := parse(t, string(answer)); got.Line != "last" {
		t.Errorf("seen %+v", got)
	}
}

// Nothing is answered, and the connection ends.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	server := start(t)
	for name, text := range map[string]string{
		"TLS":          "\x16\x03\x01\x02\x00",
		"endless line": strings.Repeat("a", 64<<10),
		"TCP closes":   "x-lab-close=always\n",
		"HTTP closes":  "GET / HTTP/1.1\r\nHost: a\r\nx-lab-close: always\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := server.talk(t)
			conn.say(text)
			if got, err := io.ReadAll(conn.Reader); len(got) > 0 || err != nil {
				t.Errorf("answered %q, %v", got, err)
			}
		})
	}
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	server := start(t)
	listener := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.ServeAdmin(ctx, listener) }()

	conn := server.talk(t)
	for _, path := range []string{"/1", "/2"} {
		conn.say("GET " + path + " HTTP/1.1\r\nHost: a\r\nx-lab-id: a&b\r\n\r\n")
		conn.response("GET")
	}
	ask := func(method, target string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+listener.Addr().String()+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	status, body := ask(http.MethodGet, "/lab/seen?id=a%26b")
	var got []echo.Seen
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK {
		t.Fatalf("answered %d: %s: %v", status, body, err)
	}
	want := []echo.Seen{{Path: "/1", Count: 1}, {Path: "/2", Count: 2}}
	onlyThese := cmpopts.IgnoreFields(echo.Seen{}, "Identity", "Port", "Protocol", "Method", "Host", "Headers", "Remote", "ID")
	if diff := cmp.Diff(want, got, onlyThese); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(got, server.SeenBy("a&b")); diff != "" {
		t.Errorf("seen by Go and by HTTP (-HTTP +Go):\n%s", diff)
	}
	if status, _ := ask(http.MethodGet, "/lab/seen"); status != http.StatusBadRequest {
		t.Errorf("without an ID: %d", status)
	}
	if status, _ := ask(http.MethodDelete, "/lab/seen"); status != http.StatusNoContent {
		t.Errorf("DELETE: %d", status)
	}
	if _, body := ask(http.MethodGet, "/lab/seen?id=a%26b"); body != "[]" {
		t.Errorf("after DELETE: %s", body)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("ServeAdmin: %v", err)
	}
}

// Requests that are being answered when the server is told to stop are answered.
func TestStop(t *testing.T) {
	t.Parallel()
	server := start(t)
	idle, web, tcp := server.talk(t), server.talk(t), server.talk(t)
	tcp.say("hello\n")
	if _, err := tcp.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	// The server has the request when the headers arrive with the rest to come.
	web.say("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
	if response, err := http.ReadResponse(web.Reader, nil); err != nil || response.StatusCode != http.StatusContinue {
		t.Fatalf("%v, %v", response, err)
	}
	server.stop()
	for _, conn := range []*talk{idle, tcp} {
		if got, err := io.ReadAll(conn.Reader); len(got) > 0 || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
	}
	web.say("x")
	if response, body := web.response("POST"); response.StatusCode != http.StatusOK {
		t.Errorf("answered %s: %s", response.Status, body)
	}
	if err := <-server.done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := net.DialTimeout("tcp", server.addr.String(), time.Minute); err == nil {
		t.Error("the server still listens")
	}
}

func TestListenerFails(t *testing.T) {
	t.Parallel()
	good, bad := listen(t), listen(t)
	_ = bad.Close()
	err := new(echo.Server).Serve(t.Context(), good, bad)
	if !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), bad.Addr().String()) {
		t.Errorf("Serve: %v", err)
	}
	if _, err := good.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the other listener: %v", err)
	}
}
