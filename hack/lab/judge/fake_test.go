package judge_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/echo"
	"github.com/meshctl/meshctl/hack/lab/judge"
)

// fake is a mesh that does what is expected of every question, unless it is told
// to do something else.
type fake struct {
	questions map[string]judge.Question
	// change is applied to every repetition before it is sent.
	change func(q *judge.Question)
	// spoil is applied to what came of it.
	spoil func(q judge.Question, outcome *client.Outcome, seen *[]echo.Seen)

	mu   sync.Mutex
	seen map[string][]echo.Seen
}

func newFake(questions []judge.Question) *fake {
	f := &fake{questions: map[string]judge.Question{}, seen: map[string][]echo.Seen{}}
	for _, q := range questions {
		f.questions[q.Request.ID] = q
	}
	return f
}

func (f *fake) Send(_ context.Context, from judge.WorkloadRef, r client.Request, n int, _ bool) ([]client.Outcome, error) {
	parts := strings.Split(r.ID, "-")
	q, found := f.questions[strings.Join(parts[:len(parts)-2], "-")]
	if !found || q.From != from {
		return nil, fmt.Errorf("nobody asked %s from %s", r.ID, from)
	}
	if f.change != nil {
		f.change(&q)
	}
	var outcomes []client.Outcome
	var all []echo.Seen
	for i := range n {
		outcome, seen := answer(q, i, n)
		if f.spoil != nil {
			f.spoil(q, &outcome, &seen)
		}
		outcomes, all = append(outcomes, outcome), append(all, seen...)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[r.ID] = all
	return outcomes, nil
}

func (f *fake) SeenBy(_ context.Context, id string) ([]echo.Seen, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[id], nil
}

func (f *fake) ResponseFlags(context.Context, judge.WorkloadRef, string) (string, error) {
	return "UF", nil
}

// answer is what becomes of repetition i of n. Fractions replace chance.
func answer(q judge.Question, i, n int) (client.Outcome, []echo.Seen) {
	e := q.Expect
	outcome := client.Outcome{GRPCStatus: -1, Duration: time.Millisecond, Headers: map[string]string{}}
	part := math.Mod(float64(i)*0.6180339887+0.5/float64(n), 1) * 100
	isGRPC := q.Request.Protocol == client.GRPC
	local := func(status, grpcStatus int, body string) {
		outcome.Status, outcome.Body = status, body
		if isGRPC {
			outcome.Status, outcome.GRPCStatus = 200, grpcStatus
		}
	}
	if e.Delay != nil && part < e.Delay.Percent {
		outcome.Duration += e.Delay.Duration
	}
	if e.Abort != nil && part < e.Abort.Percent {
		local(e.Abort.Status, map[int]int{418: 2, 429: 14, 503: 14}[e.Abort.Status], "fault filter abort")
		return outcome, nil
	}
	outcome.Headers["access-control-allow-origin"] = e.AllowOrigin
	if e.Preflight {
		outcome.Status = 200
		return outcome, nil
	}
	var copies []echo.Seen
	if m := e.Mirror; m != nil && m.Verdict == judge.Allowed && math.Mod(part*7, 100) < m.Percent {
		copies = append(copies, seenBy(q, m.Backends[0], q.Hostname+"-shadow"))
	}
	share := choose(e.Shares, math.Mod(part*13, 100))
	backend := share.Backends[i%len(share.Backends)]
	if backend.Verdict == judge.Denied {
		outcome.Headers = nil
		if q.Request.Protocol == client.TCP {
			outcome.Failure = client.FailedClosed
		} else {
			local(403, 7, "RBAC: access denied")
		}
		return outcome, copies
	}
	if backend.Verdict == judge.Unreachable {
		outcome.Headers = nil
		if q.Request.Protocol == client.TCP {
			outcome.Failure = client.FailedClosed
		} else {
			local(503, 14, "upstream connect error or disconnect/reset before headers")
		}
		return outcome, copies
	}
	seen := seenBy(q, backend, q.Hostname)
	for _, add := range []map[string]string{e.RequestHeaders.Append, share.Headers.AppendRequestHeaders} {
		for name, value := range add {
			seen.Headers[strings.ToLower(name)] = append(seen.Headers[strings.ToLower(name)], value)
		}
	}
	for _, name := range append(e.RequestHeaders.Remove, share.Headers.RemoveRequestHeaders...) {
		delete(seen.Headers, strings.ToLower(name))
	}
	arrivals := slices.Concat(copies, []echo.Seen{seen})
	if delay, err := time.ParseDuration(q.Request.Headers[echo.HeaderDelay]); err == nil {
		limit := e.Timeout
		if e.Retries != nil && e.Retries.PerTry > 0 && (limit == 0 || e.Retries.PerTry < limit) {
			limit = e.Retries.PerTry
		}
		if limit > 0 && delay > limit {
			outcome.Duration += limit
			outcome.Headers = nil
			local(504, 4, "upstream request timeout")
			return outcome, arrivals
		}
		outcome.Duration += delay
	}
	outcome.Seen = &seen
	switch q.Request.Protocol {
	case client.TCP:
	case client.GRPC:
		outcome.Status, outcome.GRPCStatus = 200, 0
		if q.Request.Headers[echo.HeaderGRPCStatus] == "14" {
			outcome.GRPCStatus = 14
			for range e.Retries.Attempts {
				arrivals = append(arrivals, seen)
			}
		}
	default:
		outcome.Status = 200
		if q.Request.Headers[echo.HeaderStatus] == "503" {
			outcome.Status = 503
		}
	}
	for name, value := range e.ResponseHeaders.Append {
		outcome.Headers[strings.ToLower(name)] = value
	}
	return outcome, arrivals
}

func choose(shares []judge.Share, part float64) judge.Share {
	for _, s := range shares {
		if part < s.Weight {
			return s
		}
		part -= s.Weight
	}
	return shares[len(shares)-1]
}

func seenBy(q judge.Question, b judge.Backend, host string) echo.Seen {
	seen := echo.Seen{
		Identity: echo.Identity{Workload: b.Workload.Name, Namespace: b.Workload.Namespace, Cluster: b.Workload.Cluster},
		Port:     b.Port, Protocol: q.Request.Protocol, Method: q.Request.Method, Path: q.Request.Path, Host: host,
		Peer: q.Expect.Identity, Headers: map[string][]string{},
	}
	for name, value := range q.Request.Headers {
		seen.Headers[name] = []string{value}
	}
	return seen
}
