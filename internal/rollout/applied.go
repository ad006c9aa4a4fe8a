package rollout

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// LastApplied returns the world with the virtual meshes and policies that were applied last.
// These are the objects that have not changed since their status was written; the others come
// from the statuses of meshes and destinations in the management cluster. The discovered objects
// are those of w. LastApplied returns false if w was not read from a management cluster, because
// then nothing is recorded.
func LastApplied(w *world.World) (*world.World, bool) {
	if !recordsStatus(w) {
		return nil, false
	}
	found := newRecorded(w)
	for i := range w.Meshes {
		if applied := w.Meshes[i].Resource.Status.AppliedVirtualMesh; applied != nil && applied.Spec != nil {
			found.virtualMeshes.add(applied.Ref, func(meta metav1.ObjectMeta) *networkingv1.VirtualMesh {
				return &networkingv1.VirtualMesh{ObjectMeta: meta, Spec: *applied.Spec}
			})
		}
	}
	for i := range w.Destinations {
		status := &w.Destinations[i].Resource.Status
		for k := range status.AppliedTrafficPolicies {
			if applied := &status.AppliedTrafficPolicies[k]; applied.Spec != nil {
				found.trafficPolicies.add(applied.Ref, func(meta metav1.ObjectMeta) *networkingv1.TrafficPolicy {
					return &networkingv1.TrafficPolicy{ObjectMeta: meta, Spec: *applied.Spec}
				})
			}
		}
		for k := range status.AppliedAccessPolicies {
			if applied := &status.AppliedAccessPolicies[k]; applied.Spec != nil {
				found.accessPolicies.add(applied.Ref, func(meta metav1.ObjectMeta) *networkingv1.AccessPolicy {
					return &networkingv1.AccessPolicy{ObjectMeta: meta, Spec: *applied.Spec}
				})
			}
		}
	}
	return w.WithAuthored(world.Objects{
		VirtualMeshes: found.virtualMeshes.objects, TrafficPolicies: found.trafficPolicies.objects, AccessPolicies: found.accessPolicies.objects,
	}), true
}

// recordsStatus reports whether the discovered objects come from a cluster, where they can
// have a status.
func recordsStatus(w *world.World) bool {
	for i := range w.Meshes {
		if w.Meshes[i].Resource.UID != "" {
			return true
		}
	}
	return false
}

// recorded are the distinct objects recorded in statuses.
type recorded struct {
	virtualMeshes   recordedKind[networkingv1.VirtualMesh]
	trafficPolicies recordedKind[networkingv1.TrafficPolicy]
	accessPolicies  recordedKind[networkingv1.AccessPolicy]
}

func newRecorded(w *world.World) *recorded {
	return &recorded{
		virtualMeshes: newRecordedKind(w.VirtualMeshes, func(o *networkingv1.VirtualMesh) (metav1.ObjectMeta, core.Int64) {
			return o.ObjectMeta, o.Status.ObservedGeneration
		}),
		trafficPolicies: newRecordedKind(w.TrafficPolicies, func(o *networkingv1.TrafficPolicy) (metav1.ObjectMeta, core.Int64) {
			return o.ObjectMeta, o.Status.ObservedGeneration
		}),
		accessPolicies: newRecordedKind(w.AccessPolicies, func(o *networkingv1.AccessPolicy) (metav1.ObjectMeta, core.Int64) {
			return o.ObjectMeta, o.Status.ObservedGeneration
		}),
	}
}

type recordedKind[T any] struct {
	objects []world.Object[T]
	seen    map[core.ObjectRef]bool
	// metas is the metadata of the objects that still exist. It is needed because the order of
	// policies depends on their age (D11).
	metas map[core.ObjectRef]metav1.ObjectMeta
}

func newRecordedKind[T any](existing []world.Object[T], describe func(*T) (metav1.ObjectMeta, core.Int64)) recordedKind[T] {
	kind := recordedKind[T]{seen: map[core.ObjectRef]bool{}, metas: map[core.ObjectRef]metav1.ObjectMeta{}}
	for i := range existing {
		meta, observed := describe(existing[i].Resource)
		ref := core.ObjectRef{Name: meta.Name, Namespace: meta.Namespace}
		kind.metas[ref] = meta
		if observed > 0 && int64(observed) == meta.Generation {
			kind.seen[ref], kind.objects = true, append(kind.objects, existing[i])
		}
	}
	return kind
}

func (k *recordedKind[T]) add(ref *core.ObjectRef, build func(metav1.ObjectMeta) *T) {
	if ref == nil || k.seen[*ref] {
		return
	}
	k.seen[*ref] = true
	meta, exists := k.metas[*ref]
	if !exists {
		meta = metav1.ObjectMeta{Name: ref.Name, Namespace: ref.Namespace}
	}
	k.objects = append(k.objects, world.Object[T]{Resource: build(meta)})
}
