package world

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Without returns the world as it would be if the VirtualMesh, TrafficPolicy or
// AccessPolicy of that namespace and name were deleted, and whether there is
// one. What was discovered is shared with the receiver, which does not change.
func (w *World) Without(kind, namespace, name string) (*World, bool) {
	changed := *w
	found := false
	switch kind {
	case "VirtualMesh":
		changed.VirtualMeshes, found = dropped(w.VirtualMeshes, metaOfVirtualMesh, namespace, name)
	case "TrafficPolicy":
		changed.TrafficPolicies, found = dropped(w.TrafficPolicies, metaOfTrafficPolicy, namespace, name)
	case "AccessPolicy":
		changed.AccessPolicies, found = dropped(w.AccessPolicies, metaOfAccessPolicy, namespace, name)
	}
	about := kind + "/" + name + "." + namespace
	changed.Problems = slices.DeleteFunc(slices.Clone(w.Problems), func(p Problem) bool { return p.Object == about })
	return &changed, found
}

func dropped[T any](objects []Object[T], meta func(*T) *metav1.ObjectMeta, namespace, name string) ([]Object[T], bool) {
	left := slices.DeleteFunc(slices.Clone(objects), func(o Object[T]) bool {
		m := meta(o.Resource)
		return m.Namespace == namespace && m.Name == name
	})
	return left, len(left) < len(objects)
}
