package policy

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// WrittenState is whether the clusters have the configuration of an object. This
// is independent of whether the object is effective, which follows from the input
// alone.
type WrittenState string

// The states.
const (
	// WrittenUnknown: the object was read from a manifest, which has no status.
	WrittenUnknown WrittenState = "UNKNOWN"
	// WrittenNo: the object was never applied.
	WrittenNo WrittenState = "NO"
	// WrittenOutdated: an earlier version of the object was applied.
	WrittenOutdated WrittenState = "OUTDATED"
	// WrittenPartly: some clusters lack a part of it.
	WrittenPartly WrittenState = "PARTLY"
	// WrittenYes: all affected clusters had it when it was applied.
	WrittenYes WrittenState = "YES"
)

// Written describes whether the clusters have the configuration of an object, as
// recorded in its status.
type Written struct {
	State WrittenState
	// Clusters have all of it, Failed do not; both sorted, and empty if the
	// status does not record them.
	Clusters, Failed []string
}

// Written returns the state recorded in the status of the VirtualMesh.
func (vm *VirtualMesh) Written() Written {
	o := vm.Resource
	var written *core.WrittenStatus
	if o.Status.Meshctl != nil {
		written = &o.Status.Meshctl.WrittenStatus
	}
	return writtenOf(&o.ObjectMeta, o.Status.ObservedGeneration, o.Status.State, written)
}

// PolicyWritten returns the state recorded in the status of a policy.
func (r *Result) PolicyWritten(ref PolicyRef) Written {
	if ref.Kind == KindTrafficPolicy {
		p := r.TrafficPolicies[ref.Index].Resource
		return writtenOf(&p.ObjectMeta, p.Status.ObservedGeneration, p.Status.State, p.Status.Meshctl)
	}
	p := r.AccessPolicies[ref.Index].Resource
	return writtenOf(&p.ObjectMeta, p.Status.ObservedGeneration, p.Status.State, p.Status.Meshctl)
}

func writtenOf(meta *metav1.ObjectMeta, observed core.Int64, state core.ApprovalState, status *core.WrittenStatus) Written {
	var w Written
	if status != nil {
		w.Clusters, w.Failed = status.Clusters, status.FailedClusters
	}
	switch {
	case meta.UID == "":
		return Written{State: WrittenUnknown}
	case observed == 0:
		return Written{State: WrittenNo}
	case int64(observed) < meta.Generation:
		w.State = WrittenOutdated
	case state == core.ApprovalStateFailed || len(w.Failed) > 0:
		w.State = WrittenPartly
	default:
		w.State = WrittenYes
	}
	return w
}
