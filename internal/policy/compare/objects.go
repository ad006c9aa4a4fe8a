package compare

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Presence is the change of an authored object between two results.
type Presence string

// The presences.
const (
	PresenceAdded   Presence = "added"
	PresenceChanged Presence = "changed"
	PresenceRemoved Presence = "removed"
)

// ObjectChange is an authored object that was added, removed or changed.
type ObjectChange struct {
	Object   world.ObjectID
	Presence Presence
}

// StateChange is an unchanged authored object whose state changes.
type StateChange struct {
	Object world.ObjectID
	// Before and After are the states of the kind: ACCEPTED and INVALID of a
	// VirtualMesh; APPLIED, PARTIAL, INVALID and IDLE of a policy.
	Before, After policy.State
	// Errors are the reasons if the object is INVALID as a whole.
	Errors []string
}

// pairing matches the authored objects of one kind in two results by namespace
// and name.
type pairing struct {
	// after is indexed by the position before, before by the position after; -1
	// means that there is no counterpart.
	after, before []int
	// differs is indexed by the position after: true if the object is new or
	// changed.
	differs []bool
}

// same reports whether the two positions are the same, unchanged object.
func (p pairing) same(before, after int) bool { return p.after[before] == after && !p.differs[after] }

// sameList reports whether two lists of positions are the same unchanged objects
// in the same order.
func (p pairing) sameList(before, after []int) bool { return slices.EqualFunc(before, after, p.same) }

func pairObjects[T any](
	r *policy.Result, before, after []world.Object[T], meta func(*T) *metav1.ObjectMeta, same func(r *policy.Result, a, b *T) bool,
) pairing {
	p := pairing{after: make([]int, len(before)), before: make([]int, len(after)), differs: make([]bool, len(after))}
	i, k := 0, 0
	for i < len(before) || k < len(after) { // both are sorted
		order := 0
		switch {
		case i == len(before):
			order = 1
		case k == len(after):
			order = -1
		default:
			a, b := meta(before[i].Resource), meta(after[k].Resource)
			order = cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
		}
		switch {
		case order < 0:
			p.after[i] = -1
			i++
		case order > 0:
			p.before[k], p.differs[k] = -1, true
			k++
		default:
			p.after[i], p.before[k] = k, i
			p.differs[k] = before[i].Resource != after[k].Resource &&
				(!same(r, before[i].Resource, after[k].Resource) || !slices.Equal(before[i].Errors, after[k].Errors))
			i, k = i+1, k+1
		}
	}
	return p
}

func metaOfVirtualMesh(o *networkingv1.VirtualMesh) *metav1.ObjectMeta     { return &o.ObjectMeta }
func metaOfTrafficPolicy(o *networkingv1.TrafficPolicy) *metav1.ObjectMeta { return &o.ObjectMeta }
func metaOfAccessPolicy(o *networkingv1.AccessPolicy) *metav1.ObjectMeta   { return &o.ObjectMeta }

func sameVirtualMesh(r *policy.Result, a, b *networkingv1.VirtualMesh) bool {
	return r.SameValue(&a.Spec, &b.Spec)
}

func sameTrafficPolicy(r *policy.Result, a, b *networkingv1.TrafficPolicy) bool {
	return r.SameValue(&a.Spec, &b.Spec)
}

func sameAccessPolicy(r *policy.Result, a, b *networkingv1.AccessPolicy) bool {
	return r.SameValue(&a.Spec, &b.Spec)
}

// presences returns the objects that were added, removed or changed, in the order
// of the world.
func (p pairing) presences(before, after *policy.Result, id func(*policy.Result, int) world.ObjectID) []ObjectChange {
	var changes []ObjectChange
	for i, k := range p.after {
		if k < 0 {
			changes = append(changes, ObjectChange{id(before, i), PresenceRemoved})
		}
	}
	for k, differs := range p.differs {
		switch {
		case p.before[k] < 0:
			changes = append(changes, ObjectChange{id(after, k), PresenceAdded})
		case differs:
			changes = append(changes, ObjectChange{id(after, k), PresenceChanged})
		}
	}
	slices.SortFunc(changes, func(a, b ObjectChange) int { return compareIDs(a.Object, b.Object) })
	return changes
}

// compareObjects sets Objects and States.
func (c *comparer) compareObjects() {
	kinds := []struct {
		pairing
		id    func(*policy.Result, int) world.ObjectID
		state func(*policy.Result, int) (policy.State, []string)
	}{
		{c.virtualMeshes, virtualMeshID, virtualMeshState},
		{c.traffic, trafficID, trafficState},
		{c.access, accessID, accessState},
	}
	for _, kind := range kinds {
		c.Objects = append(c.Objects, kind.presences(c.before, c.after, kind.id)...)
		for k, i := range kind.before {
			if kind.differs[k] {
				continue
			}
			was, _ := kind.state(c.before, i)
			is, errors := kind.state(c.after, k)
			if was != is {
				c.States = append(c.States, StateChange{Object: kind.id(c.after, k), Before: was, After: is, Errors: errors})
			}
		}
	}
}

func virtualMeshID(r *policy.Result, i int) world.ObjectID { return r.VirtualMeshes[i].ID() }
func trafficID(r *policy.Result, i int) world.ObjectID     { return r.TrafficPolicies[i].ID() }
func accessID(r *policy.Result, i int) world.ObjectID      { return r.AccessPolicies[i].ID() }

func virtualMeshState(r *policy.Result, i int) (policy.State, []string) {
	return policy.State(r.VirtualMeshes[i].State), r.VirtualMeshes[i].Errors
}

func trafficState(r *policy.Result, i int) (policy.State, []string) {
	return r.TrafficPolicies[i].State(), r.TrafficPolicies[i].AllErrors()
}

func accessState(r *policy.Result, i int) (policy.State, []string) {
	return r.AccessPolicies[i].State(), r.AccessPolicies[i].AllErrors()
}

// compareIDs orders objects by namespace, name, cluster and kind.
func compareIDs(a, b world.ObjectID) int {
	return cmp.Or(
		strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name),
		strings.Compare(a.Cluster, b.Cluster), strings.Compare(a.Kind, b.Kind),
	)
}
