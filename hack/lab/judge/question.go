package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/echo"
)

// Question is one request from a workload, sent Repeat times, and what the
// product says becomes of it.
type Question struct {
	// Name is unique within a run: WORLD/NUMBER.
	Name     string
	From     WorkloadRef
	Identity string
	To       Ref
	Hostname string
	Via      Via
	// Kind is the protocol of the port as it is declared: http, http2, grpc, tcp or
	// undeclared.
	Kind    string
	Request client.Request
	Repeat  int
	// Fresh asks for a connection of its own for each request.
	Fresh bool
	// Tags say what the question exercises.
	Tags []string
	// Described is the verdict as the product gave it.
	Described Verdict
	Expect    Expectation
}

// Expectation is what the product says about one request.
type Expectation struct {
	// Verdict is Allowed, Denied, Unreachable or Unknown, for requests to the
	// Service itself. Shares have verdicts of their own.
	Verdict Verdict
	Reason  string
	// Policies are the AccessPolicies that the verdict names.
	Policies []Object
	// Route is the number of the route that decides, -1 without one.
	Route int
	// Settings are those of the route.
	Settings []Setting

	Abort   *Abort
	Delay   *Delay
	Timeout time.Duration
	Retries *Retries
	// RequestHeaders and ResponseHeaders are changed for every request.
	RequestHeaders, ResponseHeaders HeaderChanges
	Mirror                          *Mirror
	// Shares are where requests go; one without a shift.
	Shares []Share
	// AllowOrigin is the origin that answers tell browsers to accept, "" if none.
	AllowOrigin string
	// Preflight says that the caller's proxy answers for the Service.
	Preflight bool
	// Identity is the caller as backends see it, "" if they see none, and
	// meaningless if IdentityUnknown.
	Identity        string
	IdentityUnknown bool
}

// Abort fails a part of the requests.
type Abort struct {
	Status  int
	Percent float64
}

// Delay holds a part of the requests back.
type Delay struct {
	Duration time.Duration
	Percent  float64
}

// Retries is how often a request is sent again, and how long each may take.
type Retries struct {
	Attempts int
	PerTry   time.Duration
}

// HeaderChanges are what happens to headers.
type HeaderChanges struct {
	Append map[string]string
	Remove []string
}

// Mirror sends a copy of a part of the requests.
type Mirror struct {
	To      Ref
	Percent float64
	// Verdict is what the target does with copies.
	Verdict  Verdict
	Backends []Backend
}

// Share is a part of the requests and where it goes.
type Share struct {
	To Ref
	// Kind is what the port that it goes to is for.
	Kind    string
	Subset  map[string]string
	Weight  float64
	Verdict Verdict
	// Headers are changed for this share only.
	Headers  networkingv1.HeaderManipulation
	Backends []Backend
}

// Backend is a workload that may answer.
type Backend struct {
	Workload WorkloadRef
	Port     uint16
	// Verdict is that of the share, unless pods decide differently.
	Verdict Verdict
}

// orders is what a request tells the echo server.
type orders struct {
	delay      time.Duration
	status     int
	grpcStatus int
}

// ordersOf reads them back from the request, so that a question is all there is.
func ordersOf(r client.Request) orders {
	var o orders
	o.delay, _ = time.ParseDuration(r.Headers[echo.HeaderDelay]) // 0 without one
	_, _ = fmt.Sscan(r.Headers[echo.HeaderStatus], &o.status)
	_, _ = fmt.Sscan(r.Headers[echo.HeaderGRPCStatus], &o.grpcStatus)
	return o
}

// String is the question as a person would ask it.
func (q Question) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s to %s (%s, %s), %s %s:%d", q.Name, q.From, q.To, q.Via, q.Kind, q.Request.Protocol, q.Hostname, q.Request.Port)
	if q.Request.Protocol != client.TCP {
		fmt.Fprintf(&b, ", %s %s", q.Request.Method, q.Request.Path)
	}
	for _, name := range slices.Sorted(maps.Keys(q.Request.Headers)) {
		fmt.Fprintf(&b, ", %s: %s", name, q.Request.Headers[name])
	}
	if q.Repeat > 1 {
		fmt.Fprintf(&b, ", %d times", q.Repeat)
	}
	return b.String()
}

// String is the expectation in a few words.
func (e Expectation) String() string {
	parts := []string{string(e.Verdict)}
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if e.Route >= 0 {
		add("route %d", e.Route)
	}
	if e.Abort != nil {
		add("abort %d for %v%%", e.Abort.Status, e.Abort.Percent)
	}
	if e.Delay != nil {
		add("delay %s for %v%%", e.Delay.Duration, e.Delay.Percent)
	}
	if e.Timeout > 0 {
		add("timeout %s", e.Timeout)
	}
	if e.Retries != nil {
		add("attempts %d", e.Retries.Attempts)
		if e.Retries.PerTry > 0 {
			add("each within %s", e.Retries.PerTry)
		}
	}
	if e.Mirror != nil {
		add("%v%% copied to %s (%s)", e.Mirror.Percent, e.Mirror.To, e.Mirror.Verdict)
	}
	if e.Preflight {
		add("preflight answered by the proxy")
	}
	if e.AllowOrigin != "" {
		add("allows origin %s", e.AllowOrigin)
	}
	for _, s := range e.Shares {
		var names []string
		for _, b := range s.Backends {
			names = append(names, fmt.Sprintf("%s:%d", b.Workload, b.Port))
		}
		add("%v%% to %s %v: %s by %s", s.Weight, s.To, s.Subset, s.Verdict, strings.Join(names, ", "))
	}
	return strings.Join(parts, "; ")
}
