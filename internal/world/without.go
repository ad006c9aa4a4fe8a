package world

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Without returns a copy of the world without the VirtualMesh, TrafficPolicy or
// AccessPolicy of that namespace and name, and reports whether it existed.
// Discovered objects are shared with the receiver, which is not modified.
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
