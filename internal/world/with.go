package world

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// With returns a copy of the world with the given VirtualMeshes, TrafficPolicies
// and AccessPolicies applied: existing ones (by namespace and name) are replaced,
// the others added. Of the rest of add, only Problems are used; they replace
// those about replaced objects. As when a manifest is applied to a cluster, a
// replaced object keeps its age and status, which affect the order of policies
// (D11).
//
// Discovered objects are shared with the receiver, which is not modified.
func (w *World) With(add Objects) *World {
	changed := *w
	gone := map[string]bool{}
	changed.VirtualMeshes = replaceObjects(w.VirtualMeshes, add.VirtualMeshes, gone, "VirtualMesh", metaOfVirtualMesh,
		func(from, to *networkingv1.VirtualMesh) { to.Status = from.Status })
	changed.TrafficPolicies = replaceObjects(w.TrafficPolicies, add.TrafficPolicies, gone, "TrafficPolicy", metaOfTrafficPolicy,
		func(from, to *networkingv1.TrafficPolicy) { to.Status = from.Status })
	changed.AccessPolicies = replaceObjects(w.AccessPolicies, add.AccessPolicies, gone, "AccessPolicy", metaOfAccessPolicy,
		func(from, to *networkingv1.AccessPolicy) { to.Status = from.Status })
	changed.Problems = slices.DeleteFunc(slices.Clone(w.Problems), func(p Problem) bool { return gone[p.Object] })
	changed.Problems = append(changed.Problems, add.Problems...)
	slices.SortStableFunc(changed.Problems, compareProblems)
	return &changed
}

// replaceObjects returns the objects of one kind after applying others, sorted, and
// records the replaced ones in replaced. keepStatus copies the status.
func replaceObjects[T any](
	objects, add []Object[T], replaced map[string]bool, kind string, meta func(*T) *metav1.ObjectMeta, keepStatus func(from, to *T),
) []Object[T] {
	if len(add) == 0 {
		return objects
	}
	type key struct{ namespace, name string }
	all := slices.Clone(objects)
	places := make(map[key]int, len(all))
	for i := range all {
		m := meta(all[i].Resource)
		places[key{m.Namespace, m.Name}] = i
	}
	for _, o := range add {
		m := meta(o.Resource)
		at := key{m.Namespace, m.Name}
		i, exists := places[at]
		if !exists {
			places[at], all = len(all), append(all, o)
			continue
		}
		existing := all[i].Resource
		updated := *o.Resource
		keepAge(meta(existing), meta(&updated))
		keepStatus(existing, &updated)
		o.Resource = &updated
		all[i] = o
		replaced[kind+"/"+m.Name+"."+m.Namespace] = true
	}
	return sortedObjects(all, meta)
}

// keepAge copies the creation time of the replaced object.
func keepAge(from, to *metav1.ObjectMeta) { to.CreationTimestamp = from.CreationTimestamp }

// WithAuthored returns a copy of the world with the VirtualMeshes,
// TrafficPolicies and AccessPolicies of authored instead of its own. Discovered
// objects are shared with the receiver, which is not modified.
func (w *World) WithAuthored(authored Objects) *World {
	changed := *w
	changed.VirtualMeshes = sortedObjects(authored.VirtualMeshes, metaOfVirtualMesh)
	changed.TrafficPolicies = sortedObjects(authored.TrafficPolicies, metaOfTrafficPolicy)
	changed.AccessPolicies = sortedObjects(authored.AccessPolicies, metaOfAccessPolicy)
	return &changed
}
