package reach

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// combine combines the verdicts of all pods that may receive the request.
func (c *Calls) combine(d *world.Destination, verdicts []ofPods) Verdict {
	first := verdicts[0].verdict
	if !slices.ContainsFunc(verdicts, func(v ofPods) bool { return !sameVerdict(v.verdict, first) }) {
		return first
	}
	united := Verdict{Decision: first.Decision, Code: first.Code, Unrouted: first.Unrouted}
	var conditions conditionList
	var parts, reasons []string
	unknown := Code("")
	for _, of := range verdicts {
		v := of.verdict
		if united.Decision = either(united.Decision, v.Decision); united.Decision != first.Decision {
			united.Code = CodeSomeRequests
		}
		if v.Decision == Unknown {
			unknown = v.Code
		}
		united.Policies = append(united.Policies, v.Policies...)
		for _, c := range v.Conditions {
			conditions.add(c)
		}
		united.Further = append(united.Further, v.Further...)
		for _, fact := range v.Assumed {
			if !slices.Contains(united.Assumed, fact) {
				united.Assumed = append(united.Assumed, fact)
			}
		}
		if !slices.Contains(reasons, v.Reason) {
			reasons = append(reasons, v.Reason)
		}
		parts = append(parts, fmt.Sprintf("%s %s: %s", v.Decision, of.pods, v.Reason))
	}
	switch united.Decision {
	case Denied:
		united.Code = CodeNotAllowed
	case Unknown:
		united.Code = unknown
	default:
	}
	united.Policies, united.Conditions = unique(united.Policies), conditions.list
	switch {
	case len(reasons) == 1:
		united.Reason = first.Reason
	case united.Decision == Allowed:
		united.Reason = strings.Join(reasons, "; ")
	default:
		united.Reason = "depends on the pod: " + strings.Join(parts, "; ")
	}
	united.Ports = combinePorts(d, verdicts)
	return united
}

// either is the decision if different pods decide differently. What is not allowed
// by any of them is denied; where one is not known, the whole is not.
func either(a, b Decision) Decision {
	fails := func(d Decision) bool { return d == Denied || d == Unreachable }
	switch {
	case a == b:
		return a
	case a == Unknown || b == Unknown:
		return Unknown
	case fails(a) && fails(b):
		return Denied
	default:
		return Conditional
	}
}

func sameVerdict(a, b Verdict) bool {
	sameConditions := slices.EqualFunc(a.Conditions, b.Conditions, func(a, b policy.Condition) bool { return a.Key() == b.Key() })
	return a.Decision == b.Decision && slices.Equal(a.Policies, b.Policies) && sameConditions && a.Reason == b.Reason
}

// perPort returns the verdicts for the single ports if they differ.
func (n *Connection) perPort(d *world.Destination, v *Verdict) []PortVerdict {
	if n.Whole && (v.Decision == Allowed || v.Decision == Denied) {
		return nil
	}
	all := serviceport.All(d)
	ports := make([]PortVerdict, 0, len(all))
	for _, port := range all {
		ports = append(ports, n.onPort(port, v))
	}
	return ifDifferent(ports)
}

// onPort returns the verdict for one port.
func (n *Connection) onPort(port uint32, v *Verdict) PortVerdict {
	for _, o := range n.Obstacles {
		if len(o.Ports) == 0 || slices.Contains(o.Ports, port) {
			return PortVerdict{Port: port, Decision: Unreachable, Code: o.Code, Reason: o.Reason}
		}
	}
	if v.Decision == Denied {
		return PortVerdict{Port: port, Decision: Denied, Code: v.Code, Reason: v.Reason}
	}
	found, http := Denied, false
	for i := range v.Conditions {
		condition := v.Conditions[i]
		http = http || needsHTTP(&condition)
		if len(condition.Ports) > 0 && !slices.Contains(condition.Ports, port) {
			continue
		}
		if condition.Ports = nil; condition.IsZero() {
			return PortVerdict{Port: port, Decision: Allowed}
		}
		found = Conditional
	}
	closed := PortVerdict{Port: port, Decision: found}
	switch {
	case found == Conditional:
		closed.Code = CodeSomeRequests
	case !slices.Contains(n.Mutual, port):
		closed.Code, closed.Reason = CodeNoIdentity, n.setter+", so that no identity arrives"
	case http && !slices.Contains(n.HTTP, port):
		closed.Code, closed.Reason = CodeOnlyHTTP, "the caller is allowed HTTP requests only, and the port does not speak HTTP"
	default:
		closed.Code, closed.Reason = CodeNotAllowed, "no AccessPolicy allows the caller this port"
	}
	return closed
}

// combinePorts combines the verdicts of pods for the single ports.
func combinePorts(d *world.Destination, verdicts []ofPods) []PortVerdict {
	all := serviceport.All(d)
	ports := make([]PortVerdict, len(all))
	for k, port := range all {
		for i := range verdicts {
			v := &verdicts[i].verdict
			at := PortVerdict{Port: port, Decision: v.Decision, Code: v.Code, Reason: v.Reason}
			if len(v.Ports) > 0 {
				at = v.Ports[k]
			}
			if i == 0 {
				ports[k] = at
				continue
			}
			if decision := either(ports[k].Decision, at.Decision); decision != ports[k].Decision {
				ports[k] = PortVerdict{Port: port, Decision: decision, Code: CodeSomeRequests}
				if decision == Denied {
					ports[k].Code, ports[k].Reason = at.Code, at.Reason
				}
			}
		}
	}
	return ifDifferent(ports)
}

// ifDifferent returns the verdicts unless all are the same decision.
func ifDifferent(ports []PortVerdict) []PortVerdict {
	if !slices.ContainsFunc(ports, func(p PortVerdict) bool { return p.Decision != ports[0].Decision }) {
		return nil
	}
	return ports
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
