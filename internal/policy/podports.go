package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// PodPorts returns where the pods behind a Destination listen for ports of its
// Service, ascending (semantics D53). A number that is no port of the Service but
// one of its pods stands for itself, and one that is neither for nothing. Of a
// Service whose ports are not known, every number is taken as it is.
func PodPorts(d *world.Destination, numbers []uint32) []uint32 {
	if !knowsPorts(d) {
		return sorted(numbers)
	}
	var pods []uint32
	for _, number := range numbers {
		ports, _ := podPortsOf(d, number)
		pods = append(pods, ports...)
	}
	return sorted(pods)
}

func knowsPorts(d *world.Destination) bool {
	return d.IsService() && len(d.Resource.Spec.KubeService.Ports) > 0
}

// podPortsOf resolves one number; ofService says that it is a port of the
// Service.
func podPortsOf(d *world.Destination, number uint32) (pods []uint32, ofService bool) {
	isTarget := false
	for _, p := range d.Resource.Spec.KubeService.Ports {
		targets := targetsOfPort(d.Resource.Spec.KubeService, p)
		isTarget = isTarget || slices.Contains(targets, number)
		if p.Port == number {
			ofService = true
			pods = append(pods, targets...)
		}
	}
	if !ofService && isTarget {
		pods = []uint32{number}
	}
	return sorted(pods), ofService
}

// targetsOfPort returns where pods listen for a port of their Service: one number,
// or as many as the pods have behind the name of the target.
func targetsOfPort(service *discoveryv1.KubeService, port discoveryv1.KubeServicePort) []uint32 {
	switch {
	case port.TargetPortName == nil || *port.TargetPortName == "":
		if port.TargetPortNumber != nil && *port.TargetPortNumber != 0 {
			return []uint32{*port.TargetPortNumber}
		}
		return []uint32{port.Port} // an unset target is the port itself
	default:
		var targets []uint32
		for _, group := range service.EndpointSubsets {
			for _, p := range group.Ports {
				// Endpoints carry the Service port's name; older writers used the
				// container's.
				if p.Port != 0 && (p.Name == port.Name || p.Name == *port.TargetPortName) {
					targets = append(targets, p.Port)
				}
			}
		}
		return sorted(targets)
	}
}

// portsAt returns which ports of a Service get to ports of its pods, ascending.
func portsAt(d *world.Destination, pods []uint32) []uint32 {
	if !knowsPorts(d) {
		return pods
	}
	var ports []uint32
	for _, p := range d.Resource.Spec.KubeService.Ports {
		if slices.ContainsFunc(targetsOfPort(d.Resource.Spec.KubeService, p), func(target uint32) bool { return slices.Contains(pods, target) }) {
			ports = append(ports, p.Port)
		}
	}
	return sorted(ports)
}

// OperationOn returns what an access rule lets its callers do who call a
// Destination, in terms of that Destination's ports; false if that is nothing.
// The rule may be on the pods by way of another Service, whose ports are others.
func (r *Result) OperationOn(rule AccessRule, called *world.Destination) (Condition, bool) {
	condition := r.AccessPolicies[rule.Policy].Operation()
	if len(condition.Ports) == 0 {
		return condition, true
	}
	condition.Ports = portsAt(called, PodPorts(&r.World.Destinations[rule.Destination], condition.Ports))
	return condition, len(condition.Ports) > 0
}

// remarkPorts notes allowed ports that are not what they should be: a port of the
// Service (semantics D53).
func (e *evaluator) remarkPorts(p *AccessPolicy) {
	numbers := p.Operation().Ports
	if len(numbers) == 0 {
		return
	}
	matched := map[uint32]bool{}
	ofPods := map[uint32][]string{}
	var closed []string
	known := false
	for _, id := range p.InForce() {
		d := &e.world.Destinations[id]
		if !knowsPorts(d) {
			continue
		}
		known = true
		var named []uint32 // what the Service's own ports open
		for _, number := range numbers {
			if pods, ofService := podPortsOf(d, number); ofService {
				named = append(named, pods...)
			}
		}
		for _, number := range numbers {
			pods, ofService := podPortsOf(d, number)
			matched[number] = matched[number] || len(pods) > 0
			if len(pods) > 0 && !ofService && !slices.Contains(named, number) {
				ofPods[number] = append(ofPods[number], d.Key())
			}
		}
		if len(PodPorts(d, numbers)) == 0 {
			closed = append(closed, d.Key())
		}
	}
	if !known {
		return
	}
	for _, number := range numbers {
		if keys := ofPods[number]; len(keys) > 0 {
			e.report(newFinding(CodePodPort, p.ID(), fmt.Sprintf("spec.allowedPorts: %d is not a port of %s but of its pods, and is used as such", number, text.Bounded(keys, listedNames))))
		}
		if !matched[number] {
			e.report(newFinding(CodeNoSuchPort, p.ID(), fmt.Sprintf("spec.allowedPorts: %d is neither a port of a selected Service with known pods, nor of these pods; it never matches", number)))
		}
	}
	if len(closed) > 0 {
		e.report(newFinding(CodeNoSuchPort, p.ID(), fmt.Sprintf("spec.allowedPorts: none of %s reaches pods of %s, so the policy allows no caller there",
			joinNumbers(numbers), text.Bounded(closed, listedNames))))
	}
}

func joinNumbers(numbers []uint32) string {
	texts := make([]string, 0, len(numbers))
	for _, number := range numbers {
		texts = append(texts, strconv.FormatUint(uint64(number), 10))
	}
	return strings.Join(texts, ", ")
}
