package reach

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// Receiver is pods that may receive calls to a Destination: all have a proxy, or
// none has.
type Receiver struct {
	world.Pods
	// Mesh is nil if it is not known.
	Mesh  *world.Mesh
	Rules []policy.AccessRule
	// Gateway is the Destination of an ingress gateway that stays open; nil for other
	// pods.
	Gateway *world.Destination
}

// Receivers returns who receives calls to a Destination: each backing workload. If
// none is known, the Destination's own rules are used (D33). Rules act in
// proxies, so pods without one have none (D50).
func (c *Calls) Receivers(d *world.Destination) []Receiver {
	if c.receiving[d.ID] == nil {
		for _, pods := range c.result.World.PodsBehind(d) {
			c.receiving[d.ID] = append(c.receiving[d.ID], c.newReceiver(d, pods))
		}
	}
	return c.receiving[d.ID]
}

func (c *Calls) newReceiver(d *world.Destination, pods world.Pods) Receiver {
	r := Receiver{Pods: pods, Mesh: d.Mesh}
	r.Unowned = r.Unowned && !policy.IsIngressGateway(d)
	if pods.Workload != nil {
		r.Mesh = pods.Workload.Mesh
	}
	switch {
	case pods.Bare:
	case pods.Workload != nil:
		r.Rules, r.Gateway = c.result.RulesFor(pods.Workload), c.result.OpenGatewayOf(pods.Workload)
	default:
		r.Rules = c.result.RulesOf(d.ID)
		if c.result.OpenGateway(d) {
			r.Gateway = d
		}
	}
	return r
}

// ReceiversFrom returns who receives the calls of some callers. Gateways choose
// among the pods with a proxy, if there are any (D60).
func (c *Calls) ReceiversFrom(from Caller, d *world.Destination) []Receiver {
	return c.servedOf(c.Receivers(d), from, d)
}

// servedOf returns those of some receivers who receive the calls of some callers.
func (c *Calls) servedOf(all []Receiver, from Caller, d *world.Destination) []Receiver {
	bare := func(r Receiver) bool { return r.Bare }
	if !c.throughGateways(from, d) || !slices.ContainsFunc(all, bare) {
		return all
	}
	if served := slices.DeleteFunc(slices.Clone(all), bare); len(served) > 0 {
		return served
	}
	return all
}

// Verdict decides about calls of a workload to a Destination that it reaches (see
// policy.Result.Reach). Every pod that may receive the request decides for itself,
// so the verdict is computed for each backing workload, and for pods of the caller
// with and without a proxy.
func (c *Calls) Verdict(source *world.Workload, d *world.Destination) Verdict {
	return c.verdict(source, c.CallerOf(source), d, c.Receivers(d))
}

func (c *Calls) verdict(source *world.Workload, caller Caller, d *world.Destination, receivers []Receiver) Verdict {
	callers := caller.Parts()
	if caller.routed { // routes are for pods with a proxy
		callers = callers[:1]
	}
	var verdicts []ofPods
	for _, from := range callers {
		pods := "from pods with a proxy"
		if from.bare() {
			pods = "from pods without a proxy"
		}
		verdicts = append(verdicts, ofPods{pods, c.verdictFrom(source, from, d, receivers)})
	}
	return c.combine(d, verdicts)
}

func (c *Calls) verdictFrom(source *world.Workload, from Caller, d *world.Destination, receivers []Receiver) Verdict {
	verdicts := make([]ofPods, 0, len(receivers))
	for _, r := range c.servedOf(receivers, from, d) {
		verdicts = append(verdicts, ofPods{"on " + r.Name(), c.judge(source, from, d, r)})
	}
	return c.combine(d, verdicts)
}

// ofPods is the verdict about calls between some pods.
type ofPods struct {
	// pods names them after a decision, such as "on cart".
	pods    string
	verdict Verdict
}

// judge decides about calls that one receiver gets.
func (c *Calls) judge(source *world.Workload, from Caller, d *world.Destination, to Receiver) Verdict {
	connection := c.Connect(from, d, to)
	if connection.Unknown != nil {
		open := connection.Unknown
		return Verdict{Decision: Unknown, Code: open.Code, Reason: open.Reason, Further: c.further(source, d, to, connection, connection.Obstacles), Assumed: connection.Assumed}
	}
	if len(connection.Open) == 0 {
		first := connection.Obstacles[0]
		return Verdict{
			Decision: Unreachable, Code: first.Code, Reason: first.Reason, Further: c.further(source, d, to, connection, connection.Obstacles[1:]),
			Assumed: connection.Assumed, Unrouted: first.Code.Stage() == StageName || c.ignoresRoutes(from, d, connection, first.Code),
		}
	}
	verdict := c.access(source, d, to, connection)
	verdict.Assumed, verdict.Unrouted = connection.Assumed, c.ignoresRoutes(from, d, connection, "")
	if !connection.Whole {
		verdict.Further = connection.Obstacles
		if verdict.Decision == Allowed {
			first := connection.Obstacles[0]
			verdict.Decision, verdict.Code, verdict.Conditions = Conditional, first.Code, []policy.Condition{{Ports: connection.Open}}
			verdict.Reason += "; on other ports, " + first.Reason
		}
	}
	if verdict.Unrouted && verdict.Decision != Denied {
		verdict.Reason += "; " + connection.passing + ", without routes and settings"
	}
	verdict.Ports = connection.perPort(d, &verdict)
	return verdict
}

// ignoresRoutes reports whether the caller's proxy, which does not know a hidden Service,
// does not follow the routes of calls to it either.
func (c *Calls) ignoresRoutes(from Caller, d *world.Destination, connection *Connection, first Code) bool {
	return (connection.unrouted || first == CodeHiddenService) && (from.gateway || !c.routesUnknownHost(from, d, portOfUnknownHosts))
}

// further adds to the obstacles of a connection that access rules would refuse the
// call, if it got that far.
func (c *Calls) further(source *world.Workload, d *world.Destination, to Receiver, connection *Connection, obstacles []Obstacle) []Obstacle {
	if connection.beyond == nil || len(connection.beyond.Open) == 0 {
		return obstacles
	}
	if v := c.access(source, d, to, connection.beyond); v.Decision == Denied {
		return append(slices.Clone(obstacles), Obstacle{Code: v.Code, Reason: v.Reason})
	}
	return obstacles
}

// access decides about calls over an open connection.
func (c *Calls) access(source *world.Workload, d *world.Destination, to Receiver, connection *Connection) Verdict {
	if to.Bare {
		return Verdict{Decision: Allowed, Reason: fmt.Sprintf("%s have no proxy that could refuse calls", nameBare(d, to))}
	}
	if to.Gateway != nil {
		return c.throughGateway(to.Gateway)
	}
	if len(to.Rules) == 0 {
		return c.byDefault(d, to.Mesh)
	}
	identity, known := selector.IdentityOf(source)
	var admitting, conditional, selecting []int
	var conditions conditionList
	var refused refusals
	for _, rule := range to.Rules {
		p := &c.result.AccessPolicies[rule.Policy]
		selecting = append(selecting, rule.Policy)
		for _, grant := range p.Grants(&c.result.World.Destinations[rule.Destination]) {
			if !grant.Admits(identity, known) {
				continue
			}
			condition, code := c.Terms(rule, &grant, d, connection)
			switch {
			case code != "":
				refused.add(code, rule.Policy)
			case condition.IsZero():
				admitting = append(admitting, rule.Policy)
			default:
				conditional = append(conditional, rule.Policy)
				conditions.add(condition)
			}
		}
	}
	switch {
	case len(admitting) > 0:
		policies := unique(admitting)
		return Verdict{Decision: Allowed, Policies: policies, Reason: c.admittedBy(policies)}
	case len(conditional) > 0:
		policies := unique(conditional)
		return Verdict{
			Decision: Conditional, Code: CodeSomeRequests, Policies: policies, Conditions: conditions.list,
			Reason: c.admittedBy(policies) + " for some requests",
		}
	}
	code, reason := CodeNotAllowed, notAdmitted(source, d, known)
	switch {
	case len(refused.withoutIdentity) > 0:
		code, reason = CodeNoIdentity, fmt.Sprintf("%s, so that the identity that %s does not arrive", connection.setter, c.wouldAllow(unique(refused.withoutIdentity)))
	case len(refused.onlyHTTP) > 0:
		code, reason = CodeOnlyHTTP, fmt.Sprintf("%s only HTTP requests, and %s HTTP", c.wouldAllow(unique(refused.onlyHTTP)), noPortSpeaks(d))
	}
	return Verdict{Decision: Denied, Code: code, Policies: unique(selecting), Reason: reason}
}

// refusals are the policies that would allow a caller.
type refusals struct{ withoutIdentity, onlyHTTP []int }

func (r *refusals) add(code Code, policy int) {
	if code == CodeNoIdentity {
		r.withoutIdentity = append(r.withoutIdentity, policy)
	}
	if code == CodeOnlyHTTP {
		r.onlyHTTP = append(r.onlyHTTP, policy)
	}
}

// nameBare names pods without a proxy at the beginning of a sentence.
func nameBare(d *world.Destination, to Receiver) string {
	switch {
	case to.Part:
		return "some pods of " + d.Key()
	case to.Workload != nil:
		return "the pods of " + to.Workload.Name
	default:
		return "the pods of " + d.Key()
	}
}

// noPortSpeaks begins a sentence about what no port of a Destination speaks.
func noPortSpeaks(d *world.Destination) string {
	if ports := serviceport.All(d); len(ports) == 1 {
		return fmt.Sprintf("port %d does not speak", ports[0])
	}
	return "no port speaks"
}

// throughGateway returns the verdict for pods of a gateway that stays open.
func (c *Calls) throughGateway(d *world.Destination) Verdict {
	vm := c.result.Meshes[d.Mesh.ID].VirtualMesh.Resource
	return Verdict{Decision: Allowed, Reason: fmt.Sprintf("%s is an ingress gateway, which VirtualMesh %s.%s leaves open", d.Key(), vm.Name, vm.Namespace)}
}

func notAdmitted(source *world.Workload, d *world.Destination, known bool) string {
	who := "the workload, which has no identity,"
	if identity, ok := selector.IdentityOf(source); known && ok {
		who = identity.Principal()
	}
	return fmt.Sprintf("no AccessPolicy on %s allows %s", d.Key(), who)
}

// shownPolicies limits the policies that a sentence names.
const shownPolicies = 5

func (c *Calls) admittedBy(policies []int) string { return "allowed by " + c.named(policies) }

// wouldAllow begins a sentence about what policies allow.
func (c *Calls) wouldAllow(policies []int) string {
	return c.named(policies) + " " + text.Choose(len(policies), "allows", "allow")
}

// named names policies with their kind.
func (c *Calls) named(policies []int) string {
	var names []string
	for _, i := range policies[:min(len(policies), shownPolicies)] {
		p := c.result.AccessPolicies[i].Resource
		names = append(names, p.Name+"."+p.Namespace)
	}
	return text.Choose(len(policies), "AccessPolicy", "AccessPolicies") + " " + text.BoundedOf(names, len(policies), shownPolicies)
}

// byDefault returns the verdict for pods without rules.
func (c *Calls) byDefault(d *world.Destination, mesh *world.Mesh) Verdict {
	if mesh == nil {
		return Verdict{Decision: Allowed, Reason: fmt.Sprintf("%s does not belong to a mesh that could deny", d.Key())}
	}
	denying := c.result.DenyingByDefault(mesh)
	vm := denying
	if vm == nil {
		vm = c.result.Meshes[mesh.ID].VirtualMesh
	}
	rules := c.result.MissingRules(d)
	if vm == nil {
		return Verdict{Decision: Allowed, Reason: rules + " and its mesh does not belong to a VirtualMesh"}
	}
	decision, code, does := Allowed, Code(""), "allows"
	if denying != nil {
		decision, code, does = Denied, CodeDeniedByDefault, "denies"
	}
	return Verdict{Decision: decision, Code: code, Reason: fmt.Sprintf("%s and VirtualMesh %s.%s %s by default (globalAccessPolicy %s)",
		rules, vm.Resource.Name, vm.Resource.Namespace, does, vm.GlobalAccessPolicy())}
}
