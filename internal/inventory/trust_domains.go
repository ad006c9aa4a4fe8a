package inventory

import (
	"cmp"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// keepTrustDomains records on each Istio mesh the accepted trust domain: the one it was first
// discovered with, or one accepted since. A member cluster therefore cannot obtain the
// identities of another one by changing its trust domain (D73).
func (d *discovered) keepTrustDomains(out *discovery.Output) {
	for i := range out.Meshes {
		mesh := &out.Meshes[i]
		if mesh.Spec.Istio == nil {
			continue
		}
		stored := d.stored.Object(kube.ObjectKey{GVK: Kinds()[0], Namespace: mesh.Namespace, Name: mesh.Name})
		mesh.Annotations = maps.Clone(mesh.Annotations)
		if mesh.Annotations == nil {
			mesh.Annotations = map[string]string{}
		}
		mesh.Annotations[discoveryv1.TrustDomainAnnotation] = cmp.Or(acceptedTrustDomain(stored), world.TrustDomainOf(mesh.Spec.Istio))
	}
}

// acceptedTrustDomain returns the accepted trust domain of a stored mesh; empty if the mesh is
// unknown or not an Istio mesh.
func acceptedTrustDomain(stored *unstructured.Unstructured) string {
	if stored == nil {
		return ""
	}
	if noted := stored.GetAnnotations()[discoveryv1.TrustDomainAnnotation]; noted != "" {
		return noted
	}
	istio, found, _ := unstructured.NestedMap(stored.Object, "spec", "istio")
	if !found {
		return ""
	}
	domain, _ := istio["trustDomain"].(string)
	return world.TrustDomainOf(&discoveryv1.IstioMesh{TrustDomain: domain})
}

// TrustDomainChange is a mesh whose discovered trust domain differs from the accepted one.
type TrustDomainChange struct {
	Mesh, Cluster string
	// Accepted is the trust domain first discovered or accepted since, Found the one discovered
	// now.
	Accepted, Found string
}

// TrustDomainChanges returns the meshes of a group whose discovered trust domain differs from
// the accepted one.
func (p *Plan) TrustDomainChanges(group string) []TrustDomainChange {
	var changed []TrustDomainChange
	for i := range p.Changes {
		change := &p.Changes[i]
		if change.Group != group || change.Key.GVK != Kinds()[0] || change.desired == nil {
			continue
		}
		accepted := change.desired.GetAnnotations()[discoveryv1.TrustDomainAnnotation]
		found, _, _ := unstructured.NestedString(change.desired.Object, "spec", "istio", "trustDomain")
		found = world.TrustDomainOf(&discoveryv1.IstioMesh{TrustDomain: found})
		if accepted != "" && accepted != found {
			changed = append(changed, TrustDomainChange{Mesh: change.Key.Name, Cluster: group, Accepted: accepted, Found: found})
		}
	}
	return changed
}
