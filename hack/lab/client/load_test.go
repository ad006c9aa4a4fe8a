package client_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshctl/meshctl/hack/lab/client"
)

func TestSendMany(t *testing.T) {
	t.Parallel()
	server, addr := startEcho(t)
	for name, test := range map[string]struct {
		load        client.Load
		connections int64
	}{
		"kept":       {client.Load{Count: 20}, 1},
		"fresh":      {client.Load{Count: 20, Fresh: true}, 20},
		"concurrent": {client.Load{Count: 50, Concurrency: 8, Fresh: true}, 50},
		"none":       {client.Load{}, 0},
		"negative":   {client.Load{Count: -1}, 0},
	} {
		for _, protocol := range protocols() {
			c, id := to(addr), name+string(protocol)
			var dialed atomic.Int64
			c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				dialed.Add(1)
				return new(net.Dialer).DialContext(ctx, network, address)
			}
			got := c.SendMany(t.Context(), client.Request{Protocol: protocol, Host: "a", Port: addr.Port(), ID: id}, test.load)
			if len(got) != max(test.load.Count, 0) || len(server.SeenBy(id)) != len(got) {
				t.Errorf("%s: %d outcomes, the server has seen %d", id, len(got), len(server.SeenBy(id)))
			}
			counts := map[int]bool{}
			for i, outcome := range got {
				if outcome.Failure != "" || outcome.Seen == nil {
					t.Fatalf("%s: %+v", id, outcome)
				}
				if test.load.Concurrency == 0 && outcome.Seen.Count != i+1 {
					t.Errorf("%s: outcome %d is of request %d", id, i, outcome.Seen.Count)
				}
				counts[outcome.Seen.Count] = true
			}
			if len(counts) != len(got) {
				t.Errorf("%s: %d different answers, want %d", id, len(counts), len(got))
			}
			if dialed.Load() != test.connections {
				t.Errorf("%s: %d connections, want %d", id, dialed.Load(), test.connections)
			}
		}
	}
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	const concurrency = 4
	// Requests are answered when that many are under way.
	arrived, answer := make(chan struct{}), make(chan struct{})
	addr := handle(t, func(conn *net.TCPConn) {
		_, _ = conn.Read(make([]byte, 1<<10))
		arrived <- struct{}{}
		<-answer
		_, _ = conn.Write([]byte(`{"protocol":"TCP"}` + "\n"))
	})
	go func() {
		for range concurrency {
			<-arrived
		}
		close(answer)
	}()
	got := to(addr).SendMany(t.Context(), client.Request{Protocol: client.TCP, Host: "a", Port: addr.Port()},
		client.Load{Count: concurrency, Concurrency: concurrency})
	for _, outcome := range got {
		if outcome.Seen == nil {
			t.Errorf("%+v", outcome)
		}
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	_, addr := startEcho(t)
	start := time.Now()
	got := to(addr).SendMany(t.Context(), client.Request{Protocol: client.HTTP1, Host: "a", Port: addr.Port()},
		client.Load{Count: 5, Rate: 100, Concurrency: 2})
	if took := time.Since(start); took < 40*time.Millisecond || len(got) != 5 {
		t.Errorf("%d requests took %s, want at least 40ms", len(got), took)
	}
}

// Requests that were not sent have outcomes that say so.
func TestSendManyIsInterrupted(t *testing.T) {
	t.Parallel()
	server, addr := startEcho(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := to(addr)
	var dialed atomic.Int64
	c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if dialed.Add(1) == 3 {
			cancel()
		}
		return conn, err
	}
	got := c.SendMany(ctx, client.Request{Protocol: client.TCP, Host: "a", Port: addr.Port(), ID: "i"},
		client.Load{Count: 100, Fresh: true, Rate: 1000})
	if len(got) != 100 || dialed.Load() != 3 {
		t.Fatalf("%d outcomes, %d connections", len(got), dialed.Load())
	}
	for i, outcome := range got {
		switch {
		case i < 2 && outcome.Seen == nil,
			i == 2 && outcome.Failure != client.FailedOther,
			i > 2 && (outcome.Failure != client.FailedOther || outcome.Err != "not sent: context canceled" || outcome.GRPCStatus != -1):
			t.Errorf("number %d: %+v", i, outcome)
		}
	}
	if seen := len(server.SeenBy("i")); seen < 2 || seen > 3 {
		t.Errorf("the server has seen %d requests", seen)
	}
}

// Requests that all hang are given up.
func TestSendManyGivesUp(t *testing.T) {
	t.Parallel()
	_, addr := startEcho(t)
	c := to(addr)
	var dialed atomic.Int64
	c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialed.Add(1)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	got := c.SendMany(t.Context(), client.Request{Protocol: client.TCP, Host: "a", Port: addr.Port(), Timeout: 10 * time.Millisecond},
		client.Load{Count: 50, Fresh: true, GiveUp: 3})
	if len(got) != 50 || dialed.Load() != 3 {
		t.Fatalf("%d outcomes, %d connections, want 50 and 3", len(got), dialed.Load())
	}
	for i, outcome := range got {
		if outcome.Failure != client.FailedTimeout {
			t.Errorf("number %d: %+v, want a timeout", i, outcome)
		}
	}
}
