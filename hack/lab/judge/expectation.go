package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"

	"github.com/meshctl/meshctl/hack/lab/client"
)

// oracle turns what is said about classes of requests into what becomes of one.
type oracle struct {
	facts        *facts
	descriptions Descriptions
}

// expect returns what the product says about a request.
func (o *oracle) expect(from WorkloadRef, to Ref, request client.Request) (Expectation, *Outbound, error) {
	caller, about := o.descriptions.about(from, to)
	s := o.facts.services[to]
	if about == nil || s == nil {
		return Expectation{}, nil, fmt.Errorf("%s calls %s: the descriptions say nothing about it", from, to)
	}
	port, known := s.port(request.Port)
	if !known {
		return Expectation{}, nil, fmt.Errorf("%s calls %s: the Service has no port %d", from, to, request.Port)
	}
	e := Expectation{Route: -1, Reason: about.Access.Reason, Policies: about.Access.Policies}
	own := o.share(caller, s, port, request, about.Access)
	if e.Verdict = own.Verdict; dependsOnProxies(about.Access, s) {
		e.Verdict = Denied // and by some of the pods allowed, as the reason says
	}
	e.Shares = []Share{own}
	if port.kind.routed() {
		e.Route = slices.IndexFunc(about.Routes, func(r Route) bool { return r.takes(request) })
	}
	if e.Route >= 0 {
		e.Settings = about.Routes[e.Route].Settings
		for _, setting := range e.Settings {
			if err := o.apply(&e, setting, caller, about, request); err != nil {
				return Expectation{}, nil, fmt.Errorf("%s calls %s: setting %s: %w", from, to, setting.Field, err)
			}
		}
	}
	o.identify(&e, caller, about, port)
	return e, about, nil
}

// identify says whom backends see.
func (o *oracle) identify(e *Expectation, caller *Description, about *Outbound, port servicePort) {
	e.Identity = caller.Identity
	e.IdentityUnknown = !port.kind.routed() || port.kind == kindUndeclared
	for _, share := range e.Shares { // without a TLS mode, it arrives at pods with a proxy only
		if s := o.facts.services[share.To]; s == nil || slices.ContainsFunc(s.backends, func(w *workload) bool { return !w.injected }) {
			e.IdentityUnknown = true
		}
	}
	if w := o.facts.workloads[caller.Ref()]; w != nil && !w.injected {
		e.Identity = ""
	}
	for _, setting := range about.Connection {
		var mtls networkingv1.MTLS
		if setting.Field == fieldTLS && json.Unmarshal(setting.Value, &mtls) == nil && mtls.Istio != nil &&
			mtls.Istio.TLSMode != networkingv1.TLSModeIstioMutual {
			e.Identity = ""
		}
	}
}

// share returns all requests to a Service, with what decides there.
func (o *oracle) share(caller *Description, s *service, port servicePort, request client.Request, access Access) Share {
	share := Share{To: s.Ref, Kind: string(port.kind), Weight: 100}
	share.Verdict = decide(access, request, s, port)
	if share.Verdict == Denied && dependsOnProxies(access, s) {
		share.Verdict = Unknown
	}
	for _, w := range s.backends {
		backend := Backend{Workload: w.WorkloadRef, Port: w.container(port), Verdict: share.Verdict}
		switch {
		case access.Verdict != Conditional || share.Verdict == Unreachable:
		case !w.injected: // no rules are enforced there, but the proxy of the caller may insist on one
			backend.Verdict = Unknown
		case o.podsDiffer(s):
			backend.Verdict = o.byPod(caller, w.WorkloadRef, request, s, port)
		}
		if backend.Port != 0 {
			share.Backends = append(share.Backends, backend)
		}
	}
	if len(share.Backends) > 0 && !slices.ContainsFunc(share.Backends, func(b Backend) bool { return b.Verdict != share.Backends[0].Verdict }) {
		share.Verdict = share.Backends[0].Verdict
	}
	return share
}

// dependsOnProxies reports whether pods without a proxy let calls in that those with one
// do not.
func dependsOnProxies(access Access, s *service) bool {
	return access.Verdict == Conditional && len(access.Conditions) == 0 && slices.ContainsFunc(s.backends, func(w *workload) bool { return !w.injected })
}

// decide turns a verdict about all requests into one about this request.
func decide(access Access, request client.Request, s *service, port servicePort) Verdict {
	verdict := access.Verdict
	for _, p := range access.Ports {
		if p.Port == port.number {
			verdict = p.Verdict
		}
	}
	if verdict != Conditional {
		return verdict
	}
	verdict = Denied
	for _, c := range access.Conditions {
		switch c.holds(request, s, port) {
		case yes:
			return Allowed
		case opaque:
			verdict = Unknown
		case no:
		}
	}
	return verdict
}

// podsDiffer reports whether the pods behind a Service have different rules, as
// their own descriptions say.
func (o *oracle) podsDiffer(s *service) bool {
	var first string
	for i, w := range s.backends {
		text := ""
		if d := o.descriptions.workload(w.WorkloadRef); d != nil {
			for _, in := range d.Inbound {
				if in.Destination == s.Ref {
					encoded, err := json.Marshal(in.Access)
					text = fmt.Sprint(string(encoded), err)
				}
			}
		}
		if i > 0 && text != first {
			return true
		}
		first = text
	}
	return false
}

// byPod decides by the rules of one workload.
func (o *oracle) byPod(caller *Description, pod WorkloadRef, request client.Request, s *service, port servicePort) Verdict {
	d := o.descriptions.workload(pod)
	if d == nil {
		return Unknown
	}
	for _, in := range d.Inbound {
		if in.Destination != s.Ref {
			continue
		}
		verdict := Denied
		if in.Access.Default == "ALLOW" {
			verdict = Allowed
		}
		for _, rule := range in.Access.Rules {
			switch rule.admits(caller, request, s, port) {
			case yes:
				return Allowed
			case opaque:
				verdict = Unknown
			case no:
			}
		}
		return verdict
	}
	return Unknown
}

func (r AccessRule) admits(caller *Description, request client.Request, s *service, port servicePort) decided {
	if r.From != nil {
		identity := strings.TrimPrefix(caller.Identity, "spiffe://")
		matches := func(pattern string) bool { return matchesPattern(pattern, identity) }
		admitted := slices.ContainsFunc(r.From.Principals, matches) ||
			identity != "" && slices.Contains(r.From.Namespaces, caller.Namespace) ||
			len(r.From.Principals)+len(r.From.Namespaces) == 0
		if !admitted || len(r.From.RequestPrincipals) > 0 {
			return no
		}
		if len(r.From.ForwardedIPs)+len(r.From.NotForwardedIPs) > 0 {
			return opaque
		}
	}
	if r.To == nil {
		return yes
	}
	return r.To.holds(request, s, port)
}

// apply adds one setting of the deciding route.
func (o *oracle) apply(e *Expectation, setting Setting, caller *Description, about *Outbound, request client.Request) error {
	read := func(into any) error { return json.Unmarshal(setting.Value, into) }
	switch setting.Field {
	case fieldTimeout:
		return readDuration(setting.Value, &e.Timeout)
	case fieldRetries:
		var retries networkingv1.RetryPolicy
		if err := read(&retries); err != nil {
			return err
		}
		e.Retries = &Retries{Attempts: int(retries.Attempts), PerTry: retries.PerTryTimeout.Std()}
		if retries.Attempts == 0 { // without attempts Istio has no retries, and no limit for each
			e.Retries.PerTry = 0
		}
	case fieldFault:
		var fault networkingv1.FaultInjection
		if err := read(&fault); err != nil {
			return err
		}
		percent := 100.0
		if fault.Percentage != nil {
			percent = *fault.Percentage
		}
		if fault.Abort != nil {
			e.Abort = &Abort{Status: int(fault.Abort.HTTPStatus), Percent: percent}
		} else {
			e.Delay = &Delay{Duration: fault.FixedDelay.Std(), Percent: percent}
		}
	case fieldHeaders:
		var headers networkingv1.HeaderManipulation
		if err := read(&headers); err != nil {
			return err
		}
		e.RequestHeaders = HeaderChanges{Append: headers.AppendRequestHeaders, Remove: headers.RemoveRequestHeaders}
		e.ResponseHeaders = HeaderChanges{Append: headers.AppendResponseHeaders, Remove: headers.RemoveResponseHeaders}
	case fieldMirror:
		var mirror networkingv1.Mirror
		if err := read(&mirror); err != nil {
			return err
		}
		return o.mirror(e, mirror, caller, about, request)
	case fieldShift:
		var shift networkingv1.MultiDestination
		if err := read(&shift); err != nil {
			return err
		}
		return o.shift(e, shift, caller, about, request)
	case fieldCORS:
		var cors networkingv1.CORSPolicy
		if err := read(&cors); err != nil {
			return err
		}
		applyCORS(e, cors, request)
	}
	return nil
}

func (o *oracle) mirror(e *Expectation, mirror networkingv1.Mirror, caller *Description, about *Outbound, request client.Request) error {
	if mirror.KubeService == nil {
		return errors.New("the mirror names no Service")
	}
	to := Ref{mirror.KubeService.Name, mirror.KubeService.Namespace, mirror.KubeService.ClusterName}
	share, err := o.target(to, nil, mirror.Port, caller, about, request)
	if err != nil {
		return err
	}
	e.Mirror = &Mirror{To: to, Percent: 100, Verdict: share.Verdict, Backends: share.Backends}
	if mirror.Percentage != nil {
		e.Mirror.Percent = *mirror.Percentage
	}
	return nil
}

func (o *oracle) shift(e *Expectation, shift networkingv1.MultiDestination, caller *Description, about *Outbound, request client.Request) error {
	e.Shares = nil
	for _, d := range shift.Destinations {
		if d.KubeService == nil || d.Weight == nil {
			return errors.New("the shift names no Service or no weight")
		}
		to := Ref{d.KubeService.Name, d.KubeService.Namespace, d.KubeService.ClusterName}
		share, err := o.target(to, d.KubeService.Subset, d.KubeService.Port, caller, about, request)
		if err != nil {
			return err
		}
		share.Weight, share.Subset = float64(*d.Weight), d.KubeService.Subset
		if d.Options != nil && d.Options.HeaderManipulation != nil {
			share.Headers = *d.Options.HeaderManipulation
		}
		share.Backends = slices.DeleteFunc(share.Backends, func(b Backend) bool {
			return !hasLabels(o.facts.workloads[b.Workload].labels, share.Subset)
		})
		if len(share.Backends) == 0 {
			share.Verdict = Unreachable
		}
		e.Shares = append(e.Shares, share)
	}
	return nil
}

// target is where a shift or a mirror sends requests: to a Service, or to its pods with
// some labels.
func (o *oracle) target(to Ref, subset map[string]string, number uint32, caller *Description, about *Outbound, request client.Request) (Share, error) {
	s := o.facts.services[to]
	if s == nil {
		return Share{}, fmt.Errorf("there is no Service %s", to)
	}
	port, found := s.port(uint16(number))
	if !found {
		return Share{}, fmt.Errorf("service %s has no port %d", to, number)
	}
	said := func(subset map[string]string) int {
		return slices.IndexFunc(about.Targets, func(t Target) bool { return t.Destination == to && maps.Equal(t.Subset, subset) })
	}
	access := about.Access
	switch exact, whole := said(subset), said(nil); {
	case exact >= 0:
		access = about.Targets[exact].Access
	case whole >= 0:
		access = about.Targets[whole].Access
	case to != about.Destination:
		return Share{}, fmt.Errorf("nothing is said about the access to the target %s", to)
	}
	return o.share(caller, s, port, request, access), nil
}

// applyCORS says what browsers are told.
func applyCORS(e *Expectation, cors networkingv1.CORSPolicy, request client.Request) {
	origin := request.Headers["origin"]
	if origin == "" {
		return
	}
	for _, allowed := range cors.AllowOrigins {
		if matchesText(allowed, origin) {
			e.AllowOrigin = origin
		}
	}
	e.Preflight = e.AllowOrigin != "" && request.Method == http.MethodOptions && request.Headers["access-control-request-method"] != ""
}
