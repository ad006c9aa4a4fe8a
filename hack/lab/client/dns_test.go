package client_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/meshctl/meshctl/hack/lab/client"
)

// answer is what a server says about a name.
type answer struct {
	code  dnsmessage.RCode
	alias string
	addrs []string
	// silent is how many queries are not answered first.
	silent int
	// stray is sent before the answer.
	stray     func(query dnsmessage.Message) dnsmessage.Message
	truncated bool
}

// dns is a server behind a Dialer. It answers NXDOMAIN for names that it does
// not have.
type dns struct {
	t       *testing.T
	answers map[string]answer

	mu      sync.Mutex
	asked   []string
	servers []string
}

func (d *dns) dial(_ context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.servers = append(d.servers, network+" "+address)
	near, far := net.Pipe()
	go d.serve(far)
	return near, nil
}

func (d *dns) serve(conn net.Conn) {
	buffer := make([]byte, 512)
	n, err := conn.Read(buffer)
	if err != nil {
		return
	}
	var query dnsmessage.Message
	if err := query.Unpack(buffer[:n]); err != nil || len(query.Questions) != 1 ||
		query.Questions[0].Type != dnsmessage.TypeA || !query.RecursionDesired {
		d.t.Errorf("query %+v: %v", query, err)
		return
	}
	name := query.Questions[0].Name.String()
	d.mu.Lock()
	d.asked = append(d.asked, name)
	say, known := d.answers[name]
	if known && say.silent > 0 {
		say.silent--
		d.answers[name] = say
		d.mu.Unlock()
		return
	}
	d.mu.Unlock()
	if !known {
		say.code = dnsmessage.RCodeNameError
	}
	if say.stray != nil {
		d.send(conn, say.stray(query))
	}
	response := query
	response.Response, response.RCode, response.Truncated = true, say.code, say.truncated
	owner := query.Questions[0].Name
	if say.alias != "" {
		target := dnsmessage.MustNewName(say.alias)
		response.Answers = append(response.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: owner, Class: dnsmessage.ClassINET}, Body: &dnsmessage.CNAMEResource{CNAME: target},
		})
		owner = target
	}
	for _, addr := range say.addrs {
		response.Answers = append(response.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: owner, Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.AResource{A: netip.MustParseAddr(addr).As4()},
		})
	}
	d.send(conn, response)
}

func (d *dns) send(conn net.Conn, message dnsmessage.Message) {
	packet, err := message.Pack()
	if err != nil {
		d.t.Error(err)
		return
	}
	if _, err := conn.Write(packet); err != nil {
		d.t.Error(err)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	search := []string{"bookinfo.svc.cluster.local", "svc.cluster.local.", "cluster.local"}
	const address = "240.240.0.1"
	for name, test := range map[string]struct {
		host    string
		answers map[string]answer
		want    []string
		asked   []string
		err     error
		text    string
		took    time.Duration
	}{
		"by the first domain": {
			host:    "reviews",
			answers: map[string]answer{"reviews.bookinfo.svc.cluster.local.": {addrs: []string{address, "10.0.0.1"}}},
			want:    []string{address, "10.0.0.1"},
			asked:   []string{"reviews.bookinfo.svc.cluster.local."},
		},
		"by the second domain": {
			host:    "reviews.bookinfo",
			answers: map[string]answer{"reviews.bookinfo.svc.cluster.local.": {addrs: []string{address}}},
			want:    []string{address},
			asked:   []string{"reviews.bookinfo.bookinfo.svc.cluster.local.", "reviews.bookinfo.svc.cluster.local."},
		},
		"as it is at last, by an alias": {
			host:    "a.global",
			answers: map[string]answer{"a.global.": {alias: "b.global.", addrs: []string{address}}},
			want:    []string{address},
			asked:   []string{"a.global.bookinfo.svc.cluster.local.", "a.global.svc.cluster.local.", "a.global.cluster.local.", "a.global."},
		},
		"as it is first, with five dots": {
			host:    "reviews.bookinfo.svc.west.mesh.global",
			answers: map[string]answer{"reviews.bookinfo.svc.west.mesh.global.": {addrs: []string{address}}},
			want:    []string{address},
			asked:   []string{"reviews.bookinfo.svc.west.mesh.global."},
		},
		"with a dot at the end": {
			host:  "reviews.",
			asked: []string{"reviews."},
			err:   client.ErrNoSuchHost, text: `cannot look up "reviews.": no such host`,
		},
		"unknown": {
			host:  "x",
			asked: []string{"x.bookinfo.svc.cluster.local.", "x.svc.cluster.local.", "x.cluster.local.", "x."},
			err:   client.ErrNoSuchHost, text: `cannot look up "x": no such host`,
		},
		"no addresses of version 4": {
			host:    "x.",
			answers: map[string]answer{"x.": {}},
			asked:   []string{"x."},
			err:     client.ErrNoSuchHost, text: `cannot look up "x.": no such host`,
		},
		"server failure": {
			host:    "x",
			answers: map[string]answer{"x.bookinfo.svc.cluster.local.": {code: dnsmessage.RCodeServerFailure}},
			asked:   []string{"x.bookinfo.svc.cluster.local."},
			text:    `cannot look up "x" as x.bookinfo.svc.cluster.local.: the server answers ServerFailure`,
		},
		"truncated": {
			host:    "x.",
			answers: map[string]answer{"x.": {truncated: true, addrs: []string{address}}},
			asked:   []string{"x."},
			err:     client.ErrTruncated, text: `cannot look up "x." as x.: the answer is truncated`,
		},
		"asked again": {
			host:    "x.",
			answers: map[string]answer{"x.": {silent: 2, addrs: []string{address}}},
			want:    []string{address},
			asked:   []string{"x.", "x.", "x."},
			took:    2 * time.Second,
		},
		"no answer": {
			host:    "x",
			answers: map[string]answer{"x.bookinfo.svc.cluster.local.": {silent: 3, addrs: []string{address}}},
			asked:   []string{"x.bookinfo.svc.cluster.local.", "x.bookinfo.svc.cluster.local.", "x.bookinfo.svc.cluster.local."},
			text:    `cannot look up "x" as x.bookinfo.svc.cluster.local.: no answer from 10.0.0.10:53 in 3 tries: read pipe: i/o timeout`,
			took:    3 * time.Second,
		},
		"answer to another query": {
			host: "x.",
			answers: map[string]answer{"x.": {addrs: []string{address}, stray: func(query dnsmessage.Message) dnsmessage.Message {
				query.Response, query.ID, query.RCode = true, query.ID+1, dnsmessage.RCodeNameError
				return query
			}}},
			want:  []string{address},
			asked: []string{"x."},
		},
		"answer about another name": {
			host: "x.",
			answers: map[string]answer{"x.": {addrs: []string{address}, stray: func(query dnsmessage.Message) dnsmessage.Message {
				query.Response, query.RCode = true, dnsmessage.RCodeNameError
				query.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("y."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}
				return query
			}}},
			want:  []string{address},
			asked: []string{"x."},
		},
		"address":  {host: "10.1.2.3", want: []string{"10.1.2.3"}},
		"too long": {host: strings.Repeat("a", 300) + ".", text: `cannot look up "` + strings.Repeat("a", 300) + `." as ` + strings.Repeat("a", 300) + ".: invalid name: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &dns{t: t, answers: test.answers}
				start := time.Now()
				got, err := client.LookupVia(server.dial, "10.0.0.10", search)(t.Context(), test.host)
				took := time.Since(start)
				synctest.Wait() // for what the server writes down
				if test.text == "" && err != nil || test.text != "" && (err == nil || !strings.HasPrefix(err.Error(), test.text)) {
					t.Errorf("error %v, want %q", err, test.text)
				}
				if test.err != nil && !errors.Is(err, test.err) || test.err == nil && errors.Is(err, client.ErrNoSuchHost) {
					t.Errorf("error %v, want %v", err, test.err)
				}
				var addrs, servers []string
				for _, addr := range got {
					addrs = append(addrs, addr.String())
				}
				if diff := cmp.Diff(test.want, addrs); diff != "" {
					t.Errorf("addresses (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.asked, server.asked); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
				for range test.asked {
					servers = append(servers, "udp 10.0.0.10:53")
				}
				if diff := cmp.Diff(servers, server.servers, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("servers (-want +got):\n%s", diff)
				}
				if took != test.took {
					t.Errorf("took %s, want %s", took, test.took)
				}
			})
		})
	}
}

func TestLookupIsInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &dns{t: t, answers: map[string]answer{"x.": {silent: 3}}}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := client.LookupVia(server.dial, "10.0.0.10:5353", nil)(ctx, "x.")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 1500*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		if diff := cmp.Diff([]string{"udp 10.0.0.10:5353", "udp 10.0.0.10:5353"}, server.servers); diff != "" {
			t.Errorf("servers (-want +got):\n%s", diff)
		}
	})
}

// The resolver works over real UDP, too.
func TestLookupOverUDP(t *testing.T) {
	t.Parallel()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	go func() {
		buffer := make([]byte, 512)
		n, from, err := socket.ReadFrom(buffer)
		if err != nil {
			return
		}
		var message dnsmessage.Message
		if err := message.Unpack(buffer[:n]); err != nil {
			t.Error(err)
			return
		}
		message.Response = true
		message.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: message.Questions[0].Name, Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.AResource{A: [4]byte{10, 0, 0, 1}},
		}}
		packet, err := message.Pack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = socket.WriteTo(packet, from)
	}()
	lookup := client.LookupVia(new(net.Dialer).DialContext, socket.LocalAddr().String(), nil)
	got, err := lookup(t.Context(), "reviews")
	if err != nil || len(got) != 1 || got[0].String() != "10.0.0.1" {
		t.Errorf("%v, %v", got, err)
	}
}
