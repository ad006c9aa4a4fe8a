package world

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// With returns the world as it would be with the given VirtualMeshes,
// TrafficPolicies and AccessPolicies applied: one that exists by namespace and
// name is replaced, the others are added. Everything else of add is left
// aside but its Problems, which take the place of those about replaced objects.
// A replaced object keeps what a cluster keeps when a manifest is applied: its
// age and its status, on which the order of policies depends (semantics D11).
//
// What was discovered is shared with the receiver, which does not change.
func (w *World) With(add Objects) *World {
	changed := *w
	gone := map[string]bool{}
	changed.VirtualMeshes = applied(w.VirtualMeshes, add.VirtualMeshes, gone, "VirtualMesh", metaOfVirtualMesh,
		func(from, to *networkingv1.VirtualMesh) { to.Status = from.Status })
	changed.TrafficPolicies = applied(w.TrafficPolicies, add.TrafficPolicies, gone, "TrafficPolicy", metaOfTrafficPolicy,
		func(from, to *networkingv1.TrafficPolicy) { to.Status = from.Status })
	changed.AccessPolicies = applied(w.AccessPolicies, add.AccessPolicies, gone, "AccessPolicy", metaOfAccessPolicy,
		func(from, to *networkingv1.AccessPolicy) { to.Status = from.Status })
	changed.Problems = slices.DeleteFunc(slices.Clone(w.Problems), func(p Problem) bool { return gone[p.Object] })
	changed.Problems = append(changed.Problems, add.Problems...)
	slices.SortStableFunc(changed.Problems, compareProblems)
	return &changed
}

// applied returns the objects of one kind after others were applied, sorted,
// and notes in replaced which are gone. keepStatus copies the status.
func applied[T any](
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

// keepAge gives an object the time of creation of the one it replaces.
func keepAge(from, to *metav1.ObjectMeta) { to.CreationTimestamp = from.CreationTimestamp }

// WithAuthored returns the world as it would be if it had the VirtualMeshes,
// TrafficPolicies and AccessPolicies of authored instead of its own. What was
// discovered is shared with the receiver, which does not change.
func (w *World) WithAuthored(authored Objects) *World {
	changed := *w
	changed.VirtualMeshes = sortedObjects(authored.VirtualMeshes, metaOfVirtualMesh)
	changed.TrafficPolicies = sortedObjects(authored.TrafficPolicies, metaOfTrafficPolicy)
	changed.AccessPolicies = sortedObjects(authored.AccessPolicies, metaOfAccessPolicy)
	return &changed
}
