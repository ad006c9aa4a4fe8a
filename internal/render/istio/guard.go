package istio

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// Guard decides which objects that clusters have protect workloads although
// nothing in the world asks for them any more. They stay until somebody says that
// the protection is not wanted: what became invalid, incomplete or unreachable
// says no such thing (D69, D70).
type Guard struct {
	result *policy.Result
	// complete says that what is not in the world was deleted.
	complete     bool
	traffic      map[world.ObjectID]*policy.TrafficPolicy
	policies     map[world.ObjectID]*policy.AccessPolicy
	meshes       map[world.ObjectID]*policy.VirtualMesh
	destinations map[world.ObjectID]*world.Destination
}

// Stored is an object that a cluster has.
type Stored struct {
	Cluster   string
	Kind      Kind
	Namespace string
	Spec      map[string]any
	// Parents are what it was rendered from.
	Parents []world.ObjectID
}

// NewGuard returns the guard of an evaluated world. complete says that the world
// has all virtual meshes and policies that there are, so that one that is not in it
// was deleted: true for all of a management cluster, and false where manifests
// are read, or part of the input is missing.
func NewGuard(result *policy.Result, complete bool) *Guard {
	g := &Guard{
		result: result, complete: complete, traffic: map[world.ObjectID]*policy.TrafficPolicy{}, policies: map[world.ObjectID]*policy.AccessPolicy{},
		meshes: map[world.ObjectID]*policy.VirtualMesh{}, destinations: map[world.ObjectID]*world.Destination{},
	}
	for i := range result.AccessPolicies {
		g.policies[result.AccessPolicies[i].ID()] = &result.AccessPolicies[i]
	}
	for i := range result.TrafficPolicies {
		g.traffic[result.TrafficPolicies[i].ID()] = &result.TrafficPolicies[i]
	}
	for i := range result.VirtualMeshes {
		g.meshes[result.VirtualMeshes[i].ID()] = &result.VirtualMeshes[i]
	}
	for i := range result.World.Destinations {
		d := &result.World.Destinations[i]
		g.destinations[parentOf(kindDestination, &d.Resource.ObjectMeta)] = d
	}
	return g
}

// Protects reports whether objects of a kind deny, restrict or encrypt.
func Protects(kind Kind) bool {
	return kind == KindAuthorizationPolicy || kind == KindPeerAuthentication
}

// Keeps returns why an object stays as it is although it is not wanted any more
// (desired is nil), or not like that; "" if nothing speaks against it.
func (g *Guard) Keeps(stored Stored, desired map[string]any) string {
	if !Lessens(stored.Kind, stored.Spec, desired) {
		return ""
	}
	// The TLS mode of clients is that of the Settings unless a policy has another one.
	asked := stored.Kind == KindDestinationRule
	for _, parent := range stored.Parents {
		var reason string
		switch {
		case stored.Kind == KindDestinationRule && parent.Kind == kindTrafficPolicy:
			reason = g.trafficPolicyWants(parent, stored)
		case stored.Kind == KindDestinationRule:
		case parent.Kind == kindVirtualMesh:
			asked, reason = true, g.virtualMeshWants(parent, stored)
		case parent.Kind == kindAccessPolicy:
			asked, reason = true, g.accessPolicyWants(parent, stored)
		}
		if reason != "" {
			return reason
		}
	}
	if !asked {
		return "its source VirtualMesh or AccessPolicy is not known"
	}
	return ""
}

// Lessens reports whether a change takes protection away: that of an object with
// the spec before into one with the spec desired, nil to delete it. A DestinationRule
// protects as far as clients use TLS; without any, Istio decides about that.
func Lessens(kind Kind, before, desired map[string]any) bool {
	if kind == KindDestinationRule {
		return desired != nil && weakensClients(before, desired)
	}
	return Protects(kind) && (desired == nil || loosens(kind, before, desired))
}

// loosens reports whether an object lets in more than before. Rules only ever
// come from policies in force, which say so; the mode of TLS depends on which
// VirtualMesh holds a mesh.
func loosens(kind Kind, before, after map[string]any) bool {
	return kind == KindPeerAuthentication && strictness(after) < strictness(before)
}

// strictness orders the modes of a PeerAuthentication.
func strictness(spec map[string]any) int {
	mtls, _ := spec["mtls"].(map[string]any)
	return slices.Index([]any{"DISABLE", "PERMISSIVE", "STRICT"}, mtls["mode"])
}

func (g *Guard) trafficPolicyWants(id world.ObjectID, stored Stored) string {
	p := g.traffic[id]
	if p == nil {
		return g.gone(id)
	}
	if !p.Valid() {
		return fmt.Sprintf("its source %s is INVALID: %s", id, strings.Join(p.Errors, "; "))
	}
	for _, parent := range stored.Parents {
		if d := g.destinations[parent]; d != nil && len(p.Rejected[d.ID]) > 0 {
			return fmt.Sprintf("its source %s is INVALID there: %s", id, strings.Join(p.Rejected[d.ID], "; "))
		}
	}
	return ""
}

// gone says why the absence of what asked for an object means nothing.
func (g *Guard) gone(id world.ObjectID) string {
	if g.complete {
		return ""
	}
	return fmt.Sprintf("its source %s is missing from the input, which does not prove that it was deleted", id)
}

func (g *Guard) virtualMeshWants(id world.ObjectID, stored Stored) string {
	vm := g.meshes[id]
	switch {
	case vm == nil:
		return g.gone(id)
	case len(vm.Errors) > 0:
		return fmt.Sprintf("its source %s is INVALID: %s", id, strings.Join(vm.Errors, "; "))
	}
	for _, i := range vm.Meshes {
		if m := &g.result.World.Meshes[i]; slices.Contains(m.Clusters, stored.Cluster) && !hasConfigNamespace(m) {
			return fmt.Sprintf("its source is %s, and the installation of mesh %s.%s is no longer known", id, m.Ref.Name, m.Ref.Namespace)
		}
	}
	return ""
}

func (g *Guard) accessPolicyWants(id world.ObjectID, stored Stored) string {
	p := g.policies[id]
	if p == nil {
		return g.gone(id)
	}
	if !p.Valid() {
		return fmt.Sprintf("its source %s is INVALID: %s", id, strings.Join(p.Errors, "; "))
	}
	for _, parent := range stored.Parents {
		if parent.Kind != kindDestination {
			continue
		}
		d := g.destinations[parent]
		switch {
		case d == nil && g.knowsPods(stored):
			return fmt.Sprintf("its source is %s, and its Service is no longer known, but pods that it protects are", id)
		case d == nil || !slices.Contains(p.Destinations, d.ID):
			// The policy is about other Services now.
		case len(p.Rejected[d.ID]) > 0:
			return fmt.Sprintf("its source %s is INVALID there: %s", id, strings.Join(p.Rejected[d.ID], "; "))
		case !isIstio(d.Mesh):
			return fmt.Sprintf("its source is %s, and %s no longer belongs to a known Istio mesh", id, d.Key())
		}
	}
	return ""
}

// knowsPods reports whether the world has workloads that an AuthorizationPolicy
// protects.
func (g *Guard) knowsPods(stored Stored) bool {
	selector, _ := stored.Spec["selector"].(map[string]any)
	labels := map[string]string{}
	if wanted, _ := selector["matchLabels"].(map[string]any); wanted != nil {
		for key, value := range wanted {
			labels[key], _ = value.(string)
		}
	}
	return len(g.result.World.WorkloadsWithin([]string{stored.Cluster}, []string{stored.Namespace}, labels)) > 0
}

// Unprotected returns what is open in the world because something that should
// protect it is broken, sorted. Whoever takes what is rendered for all that there
// should be would remove the protection (D70).
func (r *Renderer) Unprotected() []Omission {
	var open []Omission
	note := func(id world.ObjectID, cluster, reason string) {
		open = append(open, Omission{Object: id, Cluster: cluster, Reason: reason})
	}
	for i := range r.result.VirtualMeshes {
		vm := &r.result.VirtualMeshes[i]
		if asksForProtection(vm) && !r.world.VirtualMeshes[i].Outside {
			for _, reason := range vm.Errors {
				note(vm.ID(), "", reason)
			}
		}
	}
	for i := range r.result.AccessPolicies {
		p := &r.result.AccessPolicies[i]
		for _, id := range p.Destinations {
			d := &r.world.Destinations[id]
			if len(d.Selector) == 0 || len(r.result.RulesOf(id)) > 0 && isIstio(d.Mesh) || r.result.DeniesByDefault(d.Mesh) {
				continue // there are no pods to protect, or they are protected
			}
			switch {
			case !p.Valid():
				note(p.ID(), d.Ref.ClusterName, p.Errors[0])
			case d.Mesh == nil && d.Resource.Spec.Mesh != nil:
				note(p.ID(), d.Ref.ClusterName, fmt.Sprintf("the mesh of %s is not known", d.Key()))
			}
		}
		for _, ref := range p.UnknownClusters() {
			note(p.ID(), "", fmt.Sprintf("it refers to a Service of cluster %s, which is not known", ref))
		}
	}
	return sortOmissions(open)
}

// asksForProtection reports whether a VirtualMesh denies or encrypts.
func asksForProtection(vm *policy.VirtualMesh) bool {
	return peerAuthentication(vm.TLSEnforcement()) != nil || vm.GlobalAccessPolicy() == "ENABLED"
}
