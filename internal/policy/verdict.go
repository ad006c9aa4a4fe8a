package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
)

// Decision is the decision about a request.
type Decision string

// The decisions. Conditional depends on the request, or on which pod of the
// Destination receives it.
const (
	Allowed     Decision = "ALLOWED"
	Denied      Decision = "DENIED"
	Conditional Decision = "CONDITIONAL"
)

// Verdict is the decision about calls from one workload to one Destination.
type Verdict struct {
	Decision Decision
	// Reason is a human-readable sentence.
	Reason string
	// Policies are the positions of the AccessPolicies that decide, ascending;
	// none if the default applies.
	Policies []int
	// Conditions are alternatives under which a CONDITIONAL call is allowed.
	Conditions []Condition
}

// Verdict decides whether a workload may call a Destination. Every pod that may
// receive the request decides for itself, so the verdict is computed for each
// backing workload (semantics D33). If no pods are known, the Destination's own
// rules are used.
func (r *Result) Verdict(source *world.Workload, d *world.Destination) Verdict {
	if len(d.Backing) == 0 {
		if r.OpenGateway(d) {
			return r.throughGateway(d)
		}
		return r.judge(source, d, r.RulesOf(d.ID), d.Mesh)
	}
	verdicts := make([]Verdict, 0, len(d.Backing))
	for _, id := range d.Backing {
		pod := &r.World.Workloads[id]
		if gateway := r.OpenGatewayOf(pod); gateway != nil {
			verdicts = append(verdicts, r.throughGateway(gateway))
			continue
		}
		verdicts = append(verdicts, r.judge(source, d, r.RulesFor(pod), pod.Mesh))
	}
	return r.combine(d, verdicts)
}

// judge decides for pods with the given rules.
func (r *Result) judge(source *world.Workload, d *world.Destination, rules []AccessRule, mesh *world.Mesh) Verdict {
	if len(rules) == 0 {
		return r.byDefault(d, mesh)
	}
	identity, known := selector.IdentityOf(source)
	var admitting, conditional, selecting []int
	var conditions conditionList
	for _, rule := range rules {
		policy := &r.AccessPolicies[rule.Policy]
		selecting = append(selecting, rule.Policy)
		operation, possible := r.OperationOn(rule, d)
		if !possible {
			continue
		}
		for _, grant := range policy.Grants(&r.World.Destinations[rule.Destination]) {
			if !grant.Admits(identity, known) {
				continue
			}
			condition := operation
			condition.Request = grant.Request
			if condition.IsZero() {
				admitting = append(admitting, rule.Policy)
			} else {
				conditional = append(conditional, rule.Policy)
				conditions.add(condition)
			}
		}
	}
	switch {
	case len(admitting) > 0:
		policies := unique(admitting)
		return Verdict{Decision: Allowed, Policies: policies, Reason: r.admittedBy(policies)}
	case len(conditional) > 0:
		policies := unique(conditional)
		return Verdict{Decision: Conditional, Policies: policies, Conditions: conditions.list, Reason: r.admittedBy(policies) + " for some requests"}
	}
	return Verdict{Decision: Denied, Policies: unique(selecting), Reason: notAdmitted(source, d, known)}
}

// throughGateway returns the verdict for pods of a gateway that stays open.
func (r *Result) throughGateway(d *world.Destination) Verdict {
	vm := r.Meshes[d.Mesh.ID].VirtualMesh.Resource
	return Verdict{Decision: Allowed, Reason: fmt.Sprintf("%s is an ingress gateway, which VirtualMesh %s.%s leaves open", d.Key(), vm.Name, vm.Namespace)}
}

func notAdmitted(source *world.Workload, d *world.Destination, known bool) string {
	who := "the workload, which has no identity,"
	if identity, ok := selector.IdentityOf(source); known && ok {
		who = identity.Principal()
	}
	return fmt.Sprintf("no AccessPolicy on %s allows %s", d.Key(), who)
}

func (r *Result) admittedBy(policies []int) string {
	var names []string
	for _, i := range policies[:min(len(policies), listedNames)] {
		p := r.AccessPolicies[i].Resource
		names = append(names, p.Name+"."+p.Namespace)
	}
	return fmt.Sprintf("allowed by %s %s", text.Choose(len(policies), "AccessPolicy", "AccessPolicies"), text.BoundedOf(names, len(policies), listedNames))
}

// byDefault returns the verdict for pods without rules.
func (r *Result) byDefault(d *world.Destination, mesh *world.Mesh) Verdict {
	if mesh == nil {
		return Verdict{Decision: Allowed, Reason: fmt.Sprintf("%s does not belong to a mesh that could deny", d.Key())}
	}
	vm := r.Meshes[mesh.ID].VirtualMesh
	rules := r.missingRules(d)
	if vm == nil {
		return Verdict{Decision: Allowed, Reason: rules + " and its mesh does not belong to a VirtualMesh"}
	}
	decision, does := Allowed, "allows"
	if r.deniesByDefault(mesh) {
		decision, does = Denied, "denies"
	}
	return Verdict{Decision: decision, Reason: fmt.Sprintf("%s and VirtualMesh %s.%s %s by default (globalAccessPolicy %s)",
		rules, vm.Resource.Name, vm.Resource.Namespace, does, vm.GlobalAccessPolicy())}
}

// missingRules returns why no rule is effective on a Destination: there is no
// policy, or the policies are INVALID.
func (r *Result) missingRules(d *world.Destination) string {
	if r.missing[d.ID] == "" {
		switch broken := r.invalidAccess(d); len(broken) {
		case 0:
			r.missing[d.ID] = "no AccessPolicy selects " + d.Key()
		case 1:
			r.missing[d.ID] = fmt.Sprintf("AccessPolicy %s, which selects %s, is INVALID", broken[0], d.Key())
		default:
			r.missing[d.ID] = fmt.Sprintf("AccessPolicies %s, which select %s, are INVALID", text.Bounded(broken, listedNames), d.Key())
		}
	}
	return r.missing[d.ID]
}

// invalidAccess returns the AccessPolicies that select a Destination and are
// INVALID there.
func (r *Result) invalidAccess(d *world.Destination) []string {
	var invalid []string
	note := func(ref PolicyRef) {
		meta := r.Meta(ref)
		invalid = append(invalid, meta.Name+"."+meta.Namespace)
	}
	for _, i := range r.Destinations[d.ID].Access {
		if len(r.AccessPolicies[i].Rejected[d.ID]) > 0 {
			note(PolicyRef{KindAccessPolicy, i})
		}
	}
	for _, ref := range r.InvalidOn(d.ID) {
		if ref.Kind == KindAccessPolicy {
			note(ref)
		}
	}
	return invalid
}

// combine combines the verdicts of all pods that may receive the request.
func (r *Result) combine(d *world.Destination, verdicts []Verdict) Verdict {
	first := verdicts[0]
	if !slices.ContainsFunc(verdicts, func(v Verdict) bool { return !sameVerdict(v, first) }) {
		return first
	}
	united := Verdict{Decision: first.Decision}
	var conditions conditionList
	var parts []string
	for i, v := range verdicts {
		if v.Decision != united.Decision {
			united.Decision = Conditional
		}
		united.Policies = append(united.Policies, v.Policies...)
		for _, c := range v.Conditions {
			conditions.add(c)
		}
		parts = append(parts, fmt.Sprintf("%s on %s: %s", v.Decision, r.World.Workloads[d.Backing[i]].Name, v.Reason))
	}
	united.Policies, united.Conditions = unique(united.Policies), conditions.list
	united.Reason = "depends on the pod: " + strings.Join(parts, "; ")
	return united
}

func sameVerdict(a, b Verdict) bool {
	return a.Decision == b.Decision && slices.Equal(a.Policies, b.Policies) && a.Reason == b.Reason
}

// conditionList collects distinct conditions in order.
type conditionList struct {
	list []Condition
	seen map[string]bool
}

func (l *conditionList) add(c Condition) {
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	if key := c.Key(); !l.seen[key] {
		l.seen[key] = true
		l.list = append(l.list, c)
	}
}

// Key is equal for equal conditions.
func (c Condition) Key() string {
	return fmt.Sprintf("%q %q %v %q %q %q %q", c.Paths, c.Methods, c.Ports,
		c.Request.RequestPrincipals, c.Request.NotRequestPrincipals, c.Request.ForwardedIPs, c.Request.NotForwardedIPs)
}

func unique(ids []int) []int {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
