package istio

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// Guard decides which objects that are no longer desired must stay in clusters
// because they protect workloads. They stay until the input explicitly gives up
// the protection: an invalid, incomplete or unreachable object does not
// (semantics D69, D70).
type Guard struct {
	result *policy.Result
	// complete is true if objects that are not in the world were deleted.
	complete     bool
	policies     map[world.ObjectID]*policy.AccessPolicy
	meshes       map[world.ObjectID]*policy.VirtualMesh
	destinations map[world.ObjectID]*world.Destination
}

// Stored is an object in a cluster.
type Stored struct {
	Cluster   string
	Kind      Kind
	Namespace string
	Spec      map[string]any
	// Parents are the objects that it was rendered from.
	Parents []world.ObjectID
}

// NewGuard returns the guard of an evaluated world. complete means that the world
// has all virtual meshes and policies, so that missing ones were deleted: true
// for a complete management cluster, false for manifests and for incomplete
// input.
func NewGuard(result *policy.Result, complete bool) *Guard {
	g := &Guard{
		result: result, complete: complete, policies: map[world.ObjectID]*policy.AccessPolicy{},
		meshes: map[world.ObjectID]*policy.VirtualMesh{}, destinations: map[world.ObjectID]*world.Destination{},
	}
	for i := range result.AccessPolicies {
		g.policies[result.AccessPolicies[i].ID()] = &result.AccessPolicies[i]
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

// Keeps returns why an object must stay unchanged although it is no longer
// desired (desired is nil) or desired with another spec; "" if it may be changed.
func (g *Guard) Keeps(stored Stored, desired map[string]any) string {
	if !Lessens(stored.Kind, stored.Spec, desired) {
		return ""
	}
	asked := false
	for _, parent := range stored.Parents {
		var reason string
		switch parent.Kind {
		case kindVirtualMesh:
			asked, reason = true, g.virtualMeshWants(parent, stored)
		case kindAccessPolicy:
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

// Lessens reports whether changing the spec from before to desired (nil to delete
// the object) reduces protection.
func Lessens(kind Kind, before, desired map[string]any) bool {
	return Protects(kind) && (desired == nil || allowsMore(kind, before, desired))
}

// allowsMore reports whether an object allows more than before. Only the mode of a
// PeerAuthentication can change that way by itself, as it depends on which
// VirtualMesh holds a mesh; access rules are only rendered from effective
// policies, which ask for the change.
func allowsMore(kind Kind, before, after map[string]any) bool {
	return kind == KindPeerAuthentication && strictness(after) < strictness(before)
}

// strictness returns the rank of the mode of a PeerAuthentication.
func strictness(spec map[string]any) int {
	mtls, _ := spec["mtls"].(map[string]any)
	return slices.Index([]any{"DISABLE", "PERMISSIVE", "STRICT"}, mtls["mode"])
}

// absenceProblem returns why the absence of an object's parent must not be understood as
// its removal.
func (g *Guard) absenceProblem(id world.ObjectID) string {
	if g.complete {
		return ""
	}
	return fmt.Sprintf("its source %s is missing from the input, which does not prove that it was deleted", id)
}

func (g *Guard) virtualMeshWants(id world.ObjectID, stored Stored) string {
	vm := g.meshes[id]
	switch {
	case vm == nil:
		return g.absenceProblem(id)
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
		return g.absenceProblem(id)
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
			// The policy now selects other Services.
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

// Unprotected returns the parts of the world that lack protection because the
// object that should protect them is broken, sorted. Applying the rendered
// objects and pruning the rest would remove that protection (semantics D70).
func (r *Renderer) Unprotected() []Omission {
	var open []Omission
	note := func(id world.ObjectID, cluster, reason string) {
		open = append(open, Omission{Object: id, Cluster: cluster, Reason: reason})
	}
	for i := range r.result.VirtualMeshes {
		vm := &r.result.VirtualMeshes[i]
		if asksForProtection(vm) {
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
				continue // no pods, or they are protected by other rules
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
