package policy

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// target is a Service to which a shift or mirror sends requests.
type target struct {
	field string
	at    string
	ref   core.ClusterObjectRef
	// port is 0 if the policy does not set it.
	port uint32
}

// targets returns the Services to which a policy sends requests.
func targets(features feature.Features, p *networkingv1.TrafficPolicyPolicy) []target {
	var found []target
	for _, f := range features {
		if !f.NamesServices() {
			continue
		}
		for _, t := range f.Targets(f.Value(p, feature.NoPorts)) {
			found = append(found, target{f.Field, "spec.policy." + f.Field + t.At, t.Service, t.Port})
		}
	}
	return found
}

// Targets returns the Services to which a valid policy sends requests.
func (p *TrafficPolicy) Targets() []core.ClusterObjectRef {
	services := make([]core.ClusterObjectRef, 0, len(p.targets))
	for _, t := range p.targets {
		services = append(services, t.ref)
	}
	return services
}

// checkTargets returns why targets of a policy are unusable everywhere: unknown
// Services, missing or ambiguous ports (D22), and targets that are
// not Services (D29).
func checkTargets(w *world.World, named []target, p *networkingv1.TrafficPolicyPolicy) []Rejection {
	rejections := checkTargetTypes(p)
	for _, t := range named {
		key := strings.Join([]string{t.ref.Name, t.ref.Namespace, t.ref.ClusterName}, ".")
		d := w.Service(t.ref)
		var reason string
		switch {
		case d == nil:
			reason = fmt.Sprintf("%s: Service %s does not exist", t.at, key)
		case t.port != 0 && !serviceport.Has(d, t.port):
			reason = fmt.Sprintf("%s: Service %s has no port %d", t.at, key, t.port)
		case t.port == 0 && serviceport.Only(d) == 0:
			reason = fmt.Sprintf("%s: Service %s has %d ports, so the port must be given", t.at, key, len(d.Resource.Spec.KubeService.Ports))
		default:
			continue
		}
		rejections = append(rejections, Rejection{Field: t.field, Reason: reason, Winner: -1})
	}
	return rejections
}

func checkTargetTypes(p *networkingv1.TrafficPolicyPolicy) []Rejection {
	var rejections []Rejection
	reject := func(field, reason string) {
		rejections = append(rejections, Rejection{Field: field, Reason: reason, Winner: -1})
	}
	if p == nil {
		return nil
	}
	if p.TrafficShift != nil {
		for i, d := range p.TrafficShift.Destinations {
			at := fmt.Sprintf("spec.policy.trafficShift.destinations[%d]", i)
			switch {
			case d.VirtualDestination != nil:
				reject(feature.TrafficShift, at+".virtualDestination is not supported")
			case d.StaticDestination != nil:
				reject(feature.TrafficShift, at+".staticDestination is not supported")
			case d.ClusterHeader != nil:
				reject(feature.TrafficShift, at+".clusterHeader is not supported")
			case d.KubeService == nil:
				reject(feature.TrafficShift, at+" has no destination")
			}
		}
	}
	if p.Mirror != nil && p.Mirror.KubeService == nil {
		reject(feature.Mirror, "spec.policy.mirror has no destination")
	}
	return rejections
}

// unrealisable returns why a policy cannot be realised on a Destination: fields
// without a counterpart in Istio (D29) and unusable targets.
func (e *evaluator) unrealisable(i int, d *world.Destination) []Rejection {
	p := &e.result.TrafficPolicies[i]
	var rejections []Rejection
	if d.Mesh != nil && d.Mesh.Type == world.MeshIstio {
		for _, field := range p.unsupported {
			rejections = append(rejections, Rejection{
				Policy: i, Field: strings.TrimPrefix(strings.TrimPrefix(field, "spec."), "policy."), Winner: -1,
				Reason: field + " is not supported on Istio",
			})
		}
	}
	for _, r := range p.badTargets {
		r.Policy = i
		rejections = append(rejections, r)
	}
	return rejections
}

// reachKey identifies Destinations with the same origins.
type reachKey struct {
	policy     int
	mesh       *world.Mesh
	federation *Federation
}

// unreachableTargets returns the targets of a policy that some origin of requests
// to a Destination cannot reach (D21). It caches results in known.
func (e *evaluator) unreachableTargets(known map[reachKey][]Rejection, i int, d *world.Destination, origins []*world.Mesh) []Rejection {
	p := &e.result.TrafficPolicies[i]
	if len(p.targets) == 0 {
		return nil
	}
	if d.Mesh == nil {
		return e.unreachableFromCluster(i, d)
	}
	key := reachKey{i, d.Mesh, e.result.Destinations[d.ID].Federation}
	rejections, answered := known[key]
	if answered {
		return rejections
	}
	for _, t := range p.targets {
		for _, origin := range origins {
			if len(e.result.sources(i, origin.Cluster)) == 0 {
				continue
			}
			target := e.world.Service(t.ref)
			if target.Ref.ClusterName == origin.Cluster || e.result.Destinations[target.ID].Federation.includes(origin.ID) {
				continue
			}
			rejections = append(rejections, Rejection{
				Policy: i, Field: t.field, Winner: -1,
				Reason: fmt.Sprintf("%s: %s is not federated to mesh %s.%s, the source of the requests", t.at, target.Key(), origin.Ref.Name, origin.Ref.Namespace),
			})
		}
	}
	known[key] = rejections
	return rejections
}

// unreachableFromCluster handles a Destination without a known mesh: requests
// come from its own cluster, and no federated Destinations are known there.
func (e *evaluator) unreachableFromCluster(i int, d *world.Destination) []Rejection {
	cluster := d.Ref.ClusterName
	if len(e.result.sources(i, cluster)) == 0 {
		return nil
	}
	var rejections []Rejection
	for _, t := range e.result.TrafficPolicies[i].targets {
		if t.ref.ClusterName != cluster {
			rejections = append(rejections, Rejection{
				Policy: i, Field: t.field, Winner: -1,
				Reason: fmt.Sprintf("%s: %s.%s.%s is not federated to cluster %s, the source of the requests", t.at, t.ref.Name, t.ref.Namespace, t.ref.ClusterName, cluster),
			})
		}
	}
	return rejections
}
