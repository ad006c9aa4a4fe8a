package snapshot

import "slices"

// authoredKinds are those that people write, rather than discovery or
// registration.
func authoredKinds() []string { return []string{"VirtualMesh", "TrafficPolicy", "AccessPolicy"} }

// Split takes objects apart into VirtualMeshes, TrafficPolicies and
// AccessPolicies, with the problems of all objects, and the others.
func (o Objects) Split() (authored, environment Objects) {
	for _, e := range entriesOf(o) {
		if slices.Contains(authoredKinds(), e.id.kind) {
			e.store(&authored)
		} else {
			e.store(&environment)
		}
	}
	authored.Problems, authored.Ignored = o.Problems, o.Ignored
	return authored, environment
}

// IsEmpty reports whether there is no object at all.
func (o Objects) IsEmpty() bool { return len(entriesOf(o)) == 0 }

// Replaced returns the objects with others in place of those of the same kind,
// namespace and name, or beside them.
func (o Objects) Replaced(by Objects) Objects {
	newer := map[objectID]bool{}
	for _, e := range entriesOf(by) {
		newer[e.id] = true
	}
	replaced := Objects{Problems: slices.Concat(o.Problems, by.Problems), Ignored: o.Ignored + by.Ignored}
	for _, e := range entriesOf(o) {
		if !newer[e.id] {
			e.store(&replaced)
		}
	}
	for _, e := range entriesOf(by) {
		e.store(&replaced)
	}
	return replaced
}

// Without returns the world as it would be if the VirtualMesh, TrafficPolicy or
// AccessPolicy of that namespace and name were deleted, and whether there is
// one. What was discovered is shared with the receiver, which does not change.
func (w *World) Without(kind, namespace, name string) (*World, bool) {
	changed := *w
	found := false
	switch kind {
	case "VirtualMesh":
		changed.VirtualMeshes, found = dropped(w.VirtualMeshes, namespace, name)
	case "TrafficPolicy":
		changed.TrafficPolicies, found = dropped(w.TrafficPolicies, namespace, name)
	case "AccessPolicy":
		changed.AccessPolicies, found = dropped(w.AccessPolicies, namespace, name)
	}
	about := objectID{kind, namespace, name}.String()
	changed.Problems = slices.DeleteFunc(slices.Clone(w.Problems), func(p Problem) bool { return p.Object == about })
	return &changed, found
}

func dropped[T any, P resource[T]](objects []Object[T], namespace, name string) ([]Object[T], bool) {
	left := slices.DeleteFunc(slices.Clone(objects), func(o Object[T]) bool {
		meta := P(o.Resource).GetObjectMeta()
		return meta.GetNamespace() == namespace && meta.GetName() == name
	})
	return left, len(left) < len(objects)
}
