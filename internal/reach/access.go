package reach

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy"
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
	Conditions []policy.Condition
}

// Verdict decides whether a workload may call a Destination. Every pod that may
// receive the request decides for itself, so the verdict is computed for each
// backing workload (semantics D33). If no pods are known, the Destination's own
// rules are used.
func (c *Calls) Verdict(source *world.Workload, d *world.Destination) Verdict {
	if len(d.Backing) == 0 {
		if c.result.OpenGateway(d) {
			return c.throughGateway(d)
		}
		return c.judge(source, d, c.result.RulesOf(d.ID), d.Mesh)
	}
	verdicts := make([]Verdict, 0, len(d.Backing))
	for _, id := range d.Backing {
		pod := &c.result.World.Workloads[id]
		if gateway := c.result.OpenGatewayOf(pod); gateway != nil {
			verdicts = append(verdicts, c.throughGateway(gateway))
			continue
		}
		verdicts = append(verdicts, c.judge(source, d, c.result.RulesFor(pod), pod.Mesh))
	}
	return c.combine(d, verdicts)
}

// judge decides for pods with the given rules.
func (c *Calls) judge(source *world.Workload, d *world.Destination, rules []policy.AccessRule, mesh *world.Mesh) Verdict {
	if len(rules) == 0 {
		return c.byDefault(d, mesh)
	}
	identity, known := selector.IdentityOf(source)
	var admitting, conditional, selecting []int
	var conditions conditionList
	for _, rule := range rules {
		policy := &c.result.AccessPolicies[rule.Policy]
		selecting = append(selecting, rule.Policy)
		operation, possible := c.OperationOn(rule, d)
		if !possible {
			continue
		}
		for _, grant := range policy.Grants(&c.result.World.Destinations[rule.Destination]) {
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
		return Verdict{Decision: Allowed, Policies: policies, Reason: c.admittedBy(policies)}
	case len(conditional) > 0:
		policies := unique(conditional)
		return Verdict{Decision: Conditional, Policies: policies, Conditions: conditions.list, Reason: c.admittedBy(policies) + " for some requests"}
	}
	return Verdict{Decision: Denied, Policies: unique(selecting), Reason: notAdmitted(source, d, known)}
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

func (c *Calls) admittedBy(policies []int) string {
	var names []string
	for _, i := range policies[:min(len(policies), shownPolicies)] {
		p := c.result.AccessPolicies[i].Resource
		names = append(names, p.Name+"."+p.Namespace)
	}
	return fmt.Sprintf("allowed by %s %s", text.Choose(len(policies), "AccessPolicy", "AccessPolicies"), text.BoundedOf(names, len(policies), shownPolicies))
}

// byDefault returns the verdict for pods without rules.
func (c *Calls) byDefault(d *world.Destination, mesh *world.Mesh) Verdict {
	if mesh == nil {
		return Verdict{Decision: Allowed, Reason: fmt.Sprintf("%s does not belong to a mesh that could deny", d.Key())}
	}
	vm := c.result.Meshes[mesh.ID].VirtualMesh
	rules := c.result.MissingRules(d)
	if vm == nil {
		return Verdict{Decision: Allowed, Reason: rules + " and its mesh does not belong to a VirtualMesh"}
	}
	decision, does := Allowed, "allows"
	if c.result.DeniesByDefault(mesh) {
		decision, does = Denied, "denies"
	}
	return Verdict{Decision: decision, Reason: fmt.Sprintf("%s and VirtualMesh %s.%s %s by default (globalAccessPolicy %s)",
		rules, vm.Resource.Name, vm.Resource.Namespace, does, vm.GlobalAccessPolicy())}
}

// combine combines the verdicts of all pods that may receive the request.
func (c *Calls) combine(d *world.Destination, verdicts []Verdict) Verdict {
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
		parts = append(parts, fmt.Sprintf("%s on %s: %s", v.Decision, c.result.World.Workloads[d.Backing[i]].Name, v.Reason))
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
	list []policy.Condition
	seen map[string]bool
}

func (l *conditionList) add(c policy.Condition) {
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	if key := c.Key(); !l.seen[key] {
		l.seen[key] = true
		l.list = append(l.list, c)
	}
}

func unique(ids []int) []int {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
