package client

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// ndots is what Kubernetes writes into the resolv.conf of pods: names with
	// fewer dots are first tried with the search domains.
	ndots = 5
	// dnsTries and dnsTimeout are how often a server is asked, and how long for
	// its answer.
	dnsTries   = 3
	dnsTimeout = time.Second
)

var (
	// ErrNoSuchHost says that the server answered: no name that was tried has
	// an IPv4 address.
	ErrNoSuchHost = errors.New("no such host")
	// ErrTruncated says that the answer does not fit into a packet.
	ErrTruncated = errors.New("the answer is truncated")
)

// LookupVia returns a resolver as in a pod that has the server (an address with
// an optional port) and search domains in its resolv.conf. It asks for IPv4
// addresses over UDP. Addresses are in the order of the answer.
func LookupVia(dial Dialer, server string, search []string) Resolver {
	if _, _, err := net.SplitHostPort(server); err != nil {
		server = net.JoinHostPort(server, "53")
	}
	return (&lookup{dial: dial, server: server, search: slices.Clone(search)}).host
}

type lookup struct {
	dial   Dialer
	server string
	search []string
}

func (l *lookup) host(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	for _, name := range l.candidates(host) {
		addrs, err := l.name(ctx, name)
		if err != nil {
			// Going on could find another host than the one that is meant.
			return nil, fmt.Errorf("cannot look up %q as %s: %w", host, name, err)
		}
		if len(addrs) > 0 {
			return addrs, nil
		}
	}
	return nil, fmt.Errorf("cannot look up %q: %w", host, ErrNoSuchHost)
}

// candidates are the absolute names to try.
func (l *lookup) candidates(host string) []string {
	if strings.HasSuffix(host, ".") {
		return []string{host}
	}
	var names []string
	for _, domain := range l.search {
		names = append(names, host+"."+strings.Trim(domain, ".")+".")
	}
	if strings.Count(host, ".") >= ndots {
		return slices.Insert(names, 0, host+".")
	}
	return append(names, host+".")
}

// name returns no addresses for a name that does not exist or has none.
func (l *lookup) name(ctx context.Context, name string) ([]netip.Addr, error) {
	parsed, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, fmt.Errorf("invalid name: %w", err)
	}
	question := dnsmessage.Question{Name: parsed, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}
	for try := 1; ; try++ {
		answer, err := l.ask(ctx, question)
		switch {
		case err == nil:
			return addresses(answer)
		case ctx.Err() != nil:
			return nil, fmt.Errorf("no answer from %s: %w", l.server, ctx.Err())
		case try == dnsTries:
			return nil, fmt.Errorf("no answer from %s in %d tries: %w", l.server, dnsTries, err)
		}
	}
}

// ask asks once.
func (l *lookup) ask(ctx context.Context, question dnsmessage.Question) (*dnsmessage.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	var id [2]byte
	_, _ = rand.Read(id[:]) // never fails
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: binary.BigEndian.Uint16(id[:]), RecursionDesired: true},
		Questions: []dnsmessage.Question{question},
	}
	packet, err := query.Pack()
	if err != nil {
		return nil, fmt.Errorf("cannot encode the query: %w", err)
	}
	conn, err := l.dial(ctx, "udp", l.server)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // nothing more is expected
	stop := context.AfterFunc(ctx, func() {
		_ = conn.SetDeadline(time.Unix(1, 0)) // fails for closed connections only
	})
	defer stop()
	if _, err := conn.Write(packet); err != nil {
		return nil, err
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return nil, err
		}
		if answer, ok := unpack(buffer[:n], &query); ok {
			return answer, nil
		}
	}
}

// unpack reads the answer to a query, and reports false for late answers to
// others. Records of truncated answers may be incomplete, and are not read.
func unpack(packet []byte, query *dnsmessage.Message) (*dnsmessage.Message, bool) {
	var parser dnsmessage.Parser
	header, err := parser.Start(packet)
	if err != nil || !header.Response || header.ID != query.ID {
		return nil, false
	}
	questions, err := parser.AllQuestions()
	if err != nil || len(questions) != 1 || questions[0].Type != query.Questions[0].Type ||
		!strings.EqualFold(questions[0].Name.String(), query.Questions[0].Name.String()) {
		return nil, false
	}
	answer := &dnsmessage.Message{Header: header}
	if header.Truncated {
		return answer, true
	}
	if answer.Answers, err = parser.AllAnswers(); err != nil {
		return nil, false
	}
	return answer, true
}

// addresses ignores the names of the records: sidecars answer names with search
// domains by a CNAME and the addresses of the other name.
func addresses(answer *dnsmessage.Message) ([]netip.Addr, error) {
	switch {
	case answer.Truncated:
		return nil, ErrTruncated
	case answer.RCode == dnsmessage.RCodeNameError:
		return nil, nil
	case answer.RCode != dnsmessage.RCodeSuccess:
		return nil, fmt.Errorf("the server answers %s", strings.TrimPrefix(answer.RCode.String(), "RCode"))
	}
	var addrs []netip.Addr
	for _, record := range answer.Answers {
		if a, ok := record.Body.(*dnsmessage.AResource); ok {
			addrs = append(addrs, netip.AddrFrom4(a.A))
		}
	}
	return addrs, nil
}
