package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/operation"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
)

// remarkPorts reports allowed ports that are not a port of the Service (D53).
func (e *evaluator) remarkPorts(p *AccessPolicy) {
	numbers := p.Operation().Ports
	if len(numbers) == 0 {
		return
	}
	matched := map[uint32]bool{}
	ofPods := map[uint32][]string{}
	var closed []string
	known := false
	for _, id := range p.EffectiveDestinations() {
		d := &e.world.Destinations[id]
		if !serviceport.Known(d) {
			continue
		}
		known = true
		var named []uint32 // the pods' ports behind the allowed Service ports
		for _, number := range numbers {
			if pods, ofService := serviceport.PodsBehind(d, number); ofService {
				named = append(named, pods...)
			}
		}
		for _, number := range numbers {
			pods, ofService := serviceport.PodsBehind(d, number)
			matched[number] = matched[number] || len(pods) > 0
			if len(pods) > 0 && !ofService && !slices.Contains(named, number) {
				ofPods[number] = append(ofPods[number], d.Key())
			}
		}
		if len(serviceport.OfPods(d, numbers)) == 0 {
			closed = append(closed, d.Key())
		}
	}
	if !known {
		return
	}
	for _, number := range numbers {
		if keys := ofPods[number]; len(keys) > 0 {
			e.report(finding.New(finding.CodePodPort, p.ID(), fmt.Sprintf("spec.allowedPorts: %d is not a port of %s but of its pods, and is used as such", number, text.Bounded(keys, listedNames))))
		}
		if !matched[number] {
			e.report(finding.New(finding.CodeNoSuchPort, p.ID(), fmt.Sprintf("spec.allowedPorts: %d is neither a port of a selected Service with known pods, nor of these pods; it never matches", number)))
		}
	}
	if len(closed) > 0 {
		e.report(finding.New(finding.CodeNoSuchPort, p.ID(), fmt.Sprintf("spec.allowedPorts: none of %s reaches pods of %s, so the policy allows no caller there",
			joinNumbers(numbers), text.Bounded(closed, listedNames))))
	}
}

// remarkMethods reports allowed methods that no request to a Service with gRPC
// ports only can have (D54).
func (e *evaluator) remarkMethods(p *AccessPolicy) {
	methods := p.Operation().Methods
	never := slices.DeleteFunc(slices.Clone(methods), func(m string) bool { return operation.AllowsPost(m) || operation.NeverHasMethod(m) != "" })
	if len(never) == 0 {
		return
	}
	var keys []string
	for _, id := range p.EffectiveDestinations() {
		if d := &e.world.Destinations[id]; serviceport.OnlyGRPC(d, p.Operation().Ports) {
			keys = append(keys, d.Key())
		}
	}
	if len(keys) > 0 {
		e.report(finding.New(finding.CodeNeverAllows, p.ID(), fmt.Sprintf("spec.allowedMethods: %s allows no request to %s, because gRPC requests use POST",
			strings.Join(never, ", "), text.Bounded(keys, listedNames))))
	}
}

// remarkHTTPOnly reports ports that a policy about HTTP requests closes, because they
// declare another protocol (D54).
func (e *evaluator) remarkHTTPOnly(p *AccessPolicy) {
	var fields []string
	operation := p.Operation()
	if len(operation.Methods) > 0 {
		fields = append(fields, "spec.allowedMethods")
	}
	if len(operation.Paths) > 0 {
		fields = append(fields, "spec.allowedPaths")
	}
	if len(p.grants) > 0 && !slices.ContainsFunc(p.grants, func(g selector.Grant) bool {
		return len(g.Request.RequestPrincipals)+len(g.Request.NotRequestPrincipals) == 0
	}) {
		fields = append(fields, "requestIdentityMatcher in spec.sourceSelector")
	}
	if len(fields) == 0 {
		return
	}
	var closed []string
	for _, id := range p.EffectiveDestinations() {
		d := &e.world.Destinations[id]
		if !serviceport.Known(d) || e.result.OpenGateway(d) {
			continue
		}
		ports := serviceport.All(d)
		if len(operation.Ports) > 0 {
			ports = serviceport.PortsTo(d, serviceport.OfPods(d, operation.Ports))
		}
		for _, port := range ports {
			if !slices.Contains(serviceport.HTTP(d), port) {
				closed = append(closed, fmt.Sprintf("port %d of %s", port, d.Key()))
			}
		}
	}
	if len(closed) > 0 {
		e.report(finding.New(finding.CodeOnlyHTTP, p.ID(), fmt.Sprintf("%s %s HTTP requests only, so the policy allows nobody on ports of other protocols: %s",
			text.And(fields), text.Choose(len(fields), "matches", "match"), text.Bounded(closed, listedNames))))
	}
}

// remarkGRPCShift reports shifts that send gRPC requests to a port of HTTP/1, where
// their trailers are lost.
func (e *evaluator) remarkGRPCShift(p *TrafficPolicy) {
	spec := &p.Resource.Spec
	if spec.Policy == nil || spec.Policy.TrafficShift == nil {
		return
	}
	var from []string
	for _, id := range p.EffectiveDestinations() {
		d := &e.world.Destinations[id]
		if !d.IsService() {
			continue
		}
		for _, port := range d.Resource.Spec.KubeService.Ports {
			if serviceport.ProtocolOf(port) == "GRPC" && (len(spec.DestinationPorts) == 0 || slices.Contains(spec.DestinationPorts, port.Port)) {
				from = append(from, fmt.Sprintf("port %d of %s", port.Port, d.Key()))
			}
		}
	}
	if len(from) == 0 {
		return
	}
	for i, destination := range spec.Policy.TrafficShift.Destinations {
		if destination.KubeService == nil {
			continue
		}
		target := e.world.Service(feature.ShiftTarget(destination.KubeService))
		if target == nil || !target.IsService() {
			continue // unknown Services are errors
		}
		number := destination.KubeService.Port
		if number == 0 {
			number = serviceport.Only(target)
		}
		for _, port := range target.Resource.Spec.KubeService.Ports {
			if port.Port == number && serviceport.ProtocolOf(port) == "HTTP" {
				e.report(finding.New(finding.CodeGRPCToHTTP1, p.ID(), fmt.Sprintf(
					"spec.policy.trafficShift.destinations[%d]: port %d of %s speaks HTTP/1, so gRPC requests to %s fail there", i, number, target.Key(), text.Bounded(from, listedNames))))
			}
		}
	}
}

func joinNumbers(numbers []uint32) string {
	texts := make([]string, 0, len(numbers))
	for _, number := range numbers {
		texts = append(texts, strconv.FormatUint(uint64(number), 10))
	}
	return strings.Join(texts, ", ")
}
