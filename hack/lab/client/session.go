package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// Session sends requests one after the other, and keeps the connection between
// them as long as they go to the same host and port in the same protocol. A
// connection that was closed in between is replaced, as pools of applications
// do; one that is closed while a request is on its way is a failure of it.
type Session struct {
	client *Client

	mu   sync.Mutex
	key  sessionKey
	conn exchanger
	addr netip.Addr
}

// exchanger is a connection of one protocol.
type exchanger interface {
	// exchange sends a request and fills in the answer. It reports whether the
	// connection can be kept.
	exchange(ctx context.Context, request *Request, outcome *Outcome) bool
	// alive reports whether the connection can take another request.
	alive() bool
	close()
}

type sessionKey struct {
	protocol Protocol
	host     string
	addr     netip.Addr
	port     uint16
}

// NewSession returns a session without a connection.
func (c *Client) NewSession() *Session { return &Session{client: c} }

// Close closes the connection.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
}

func (s *Session) drop() {
	if s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
}

// Send sends a request over the kept connection, or a new one.
func (s *Session) Send(ctx context.Context, request Request) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if request.Timeout <= 0 {
		request.Timeout = DefaultTimeout
	}
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, request.Timeout)
	defer cancel()

	outcome := Outcome{GRPCStatus: -1}
	if s.connect(limited, &request, &outcome) && !s.conn.exchange(limited, &request, &outcome) {
		s.drop()
	}
	outcome.Duration = time.Since(start)
	return outcome
}

func (s *Session) connect(ctx context.Context, request *Request, outcome *Outcome) bool {
	key := sessionKey{request.Protocol, request.Host, request.Address, request.Port}
	if key.protocol == GRPC {
		key.protocol = HTTP2
	}
	if s.conn != nil && s.key == key && s.conn.alive() {
		outcome.Resolved, outcome.Reused = s.addr, true
		return true
	}
	s.drop()
	addr, err := s.client.resolve(ctx, request)
	if err != nil {
		outcome.fail(FailedResolve, err)
		return false
	}
	outcome.Resolved = addr
	dial := s.client.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", net.JoinHostPort(addr.String(), strconv.Itoa(int(request.Port))))
	if err != nil {
		outcome.fail(classify(ctx, err), err)
		return false
	}
	if s.conn, err = wrap(key.protocol, conn); err != nil {
		_ = conn.Close() // nothing was sent
		s.conn = nil
		outcome.fail(FailedOther, err)
		return false
	}
	s.key, s.addr = key, addr
	return true
}

func wrap(protocol Protocol, conn net.Conn) (exchanger, error) {
	switch protocol {
	case HTTP1:
		return &http1Conn{newKept(conn)}, nil
	case HTTP2:
		return newHTTP2Conn(conn)
	case TCP:
		return &tcpConn{newKept(conn)}, nil
	default:
		return nil, fmt.Errorf("invalid protocol %q: must be one of: %s, %s, %s, %s", protocol, HTTP1, HTTP2, GRPC, TCP)
	}
}

// resolve returns the first address: applications that try others would hide
// that this one fails.
func (c *Client) resolve(ctx context.Context, request *Request) (netip.Addr, error) {
	if request.Address.IsValid() {
		return request.Address, nil
	}
	if addr, err := netip.ParseAddr(request.Host); err == nil {
		return addr, nil
	}
	if c.Lookup == nil {
		return netip.Addr{}, fmt.Errorf("cannot look up %q: the client has no resolver", request.Host)
	}
	addrs, err := c.Lookup(ctx, request.Host)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(addrs) == 0 {
		return netip.Addr{}, errors.New("the resolver returned no address for " + strconv.Quote(request.Host))
	}
	return addrs[0], nil
}
