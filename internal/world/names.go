package world

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// Names are the forms in which the command line refers to one object.
type Names struct {
	// Kind may precede the name: `deployment/reviews-v1`.
	Kind string
	// Name, Namespace and Cluster are those of the object itself; Cluster is
	// empty for resources of the management cluster.
	Name, Namespace, Cluster string
	// Resource and ResourceNamespace name the custom resource that represents the
	// object, if it has another name.
	Resource, ResourceNamespace string
}

// Full returns the longest form, NAME.NAMESPACE.CLUSTER or as much of it as the
// object has.
func (n Names) Full() string {
	switch {
	case n.Namespace == "":
		return n.Name
	case n.Cluster == "":
		return n.Name + "." + n.Namespace
	default:
		return n.Name + "." + n.Namespace + "." + n.Cluster
	}
}

// matches reports whether the name is one of the forms of this object.
func (n Names) matches(name string) bool {
	return name == n.Name || name == n.Name+"."+n.Namespace || name == n.Full() ||
		(n.Resource != "" && (name == n.Resource || name == n.Resource+"."+n.ResourceNamespace))
}

// NotFoundError means that no object has the name.
type NotFoundError struct {
	// Noun is the kind of object ("workload"), Name the user's input.
	Noun, Name string
	// Near are the full names of objects with similar names.
	Near []string
}

func (e *NotFoundError) Error() string {
	message := fmt.Sprintf("%s %q not found", e.Noun, e.Name)
	switch len(e.Near) {
	case 0:
		return message + "; leave out the name to list them all"
	case 1:
		return message + fmt.Sprintf("; did you mean %s?", e.Near[0])
	default:
		return message + "; did you mean one of these?\n  " + strings.Join(e.Near, "\n  ")
	}
}

// AmbiguousError means that several objects have the name.
type AmbiguousError struct {
	Noun, Name string
	// Candidates are unambiguous names of these objects.
	Candidates []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%s name %q is ambiguous; use one of these:\n  %s", e.Noun, e.Name, strings.Join(e.Candidates, "\n  "))
}

// Resolve returns the one item that a user's name refers to: NAME, NAME.NAMESPACE
// or NAME.NAMESPACE.CLUSTER, optionally with KIND/ in front, or the name of the
// custom resource. Names are compared with existing ones instead of being split,
// so that names with dots work; the full form of one object takes precedence over
// shorter forms of others. The error is a *NotFoundError or an *AmbiguousError.
func Resolve[T any](noun string, items []T, names func(T) Names, name string) (T, error) {
	kind, bare := "", name
	if before, after, ok := strings.Cut(name, "/"); ok {
		kind, bare = before, after
	}
	var exact, loose []T
	for _, item := range items {
		n := names(item)
		if kind != "" && !strings.EqualFold(kind, n.Kind) && !strings.EqualFold(kind, noun) {
			continue
		}
		if bare == n.Full() {
			exact = append(exact, item)
		}
		if n.matches(bare) {
			loose = append(loose, item)
		}
	}
	found := loose
	if len(exact) > 0 {
		found = exact
	}
	var none T
	switch len(found) {
	case 0:
		return none, &NotFoundError{Noun: noun, Name: name, Near: nearNames(items, names, bare)}
	case 1:
		return found[0], nil
	default:
		return none, &AmbiguousError{Noun: noun, Name: name, Candidates: candidates(found, names)}
	}
}

// candidates returns the shortest unambiguous name of each item: its full name,
// with the kind in front if several share it, or the resource name if they also
// share the kind.
func candidates[T any](items []T, names func(T) Names) []string {
	count := map[string]int{}
	for _, item := range items {
		n := names(item)
		count[n.Full()]++
		count[n.withKind()]++
	}
	var list []string
	for _, item := range items {
		switch n := names(item); {
		case count[n.Full()] == 1:
			list = append(list, n.Full())
		case count[n.withKind()] == 1:
			list = append(list, n.withKind())
		default:
			list = append(list, n.Resource+"."+n.ResourceNamespace)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (n Names) withKind() string { return strings.ToLower(n.Kind) + "/" + n.Full() }

// maxSuggestions limits a "did you mean" list.
const maxSuggestions = 5

// nearNames returns the full names of the items whose names are most similar to
// the input, best first.
func nearNames[T any](items []T, names func(T) Names, typed string) []string {
	type scored struct {
		name     string
		distance int
	}
	var near []scored
	if len(typed) < 3 { // too short to compare
		return nil
	}
	for _, item := range items {
		n := names(item)
		best := len(typed)
		for _, form := range []string{n.Name, n.Name + "." + n.Namespace, n.Full(), n.Resource} {
			best = min(best, spelling.Distance(typed, form))
			// The input may also be a misspelled prefix: prodctpage for
			// productpage-v1.
			if len(form) > len(typed)+1 {
				best = min(best, spelling.Distance(typed, form[:len(typed)+1]))
			}
		}
		limit := max(1, len(typed)/4)
		if best <= limit || strings.Contains(n.Name, typed) {
			near = append(near, scored{n.Full(), best})
		}
	}
	slices.SortFunc(near, func(a, b scored) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var list []string
	for _, s := range near {
		if len(list) < maxSuggestions && !slices.Contains(list, s.name) {
			list = append(list, s.name)
		}
	}
	return list
}

// WorkloadPointers returns all workloads in the world's order.
func (w *World) WorkloadPointers() []*Workload {
	all := make([]*Workload, len(w.Workloads))
	for i := range w.Workloads {
		all[i] = &w.Workloads[i]
	}
	return all
}

// Names returns the names of the workload.
func (w *Workload) Names() Names {
	return Names{
		Kind: w.Kind, Name: w.Name, Namespace: w.Namespace, Cluster: w.Cluster,
		Resource: w.Resource.Name, ResourceNamespace: w.Resource.Namespace,
	}
}

// MeshPointers returns all meshes in the world's order.
func (w *World) MeshPointers() []*Mesh {
	all := make([]*Mesh, len(w.Meshes))
	for i := range w.Meshes {
		all[i] = &w.Meshes[i]
	}
	return all
}

// DestinationPointers returns all Destinations in the world's order.
func (w *World) DestinationPointers() []*Destination {
	all := make([]*Destination, len(w.Destinations))
	for i := range w.Destinations {
		all[i] = &w.Destinations[i]
	}
	return all
}

// Names returns the names of the mesh.
func (m *Mesh) Names() Names {
	return Names{Kind: "Mesh", Name: m.Ref.Name, Namespace: m.Ref.Namespace}
}

// Names returns the names of the Destination: those of its Service, or of the
// resource.
func (d *Destination) Names() Names {
	return Names{
		Kind: "Service", Name: d.Ref.Name, Namespace: d.Ref.Namespace, Cluster: d.Ref.ClusterName,
		Resource: d.Resource.Name, ResourceNamespace: d.Resource.Namespace,
	}
}

// Registered reports whether a KubernetesCluster of that name exists.
func (w *World) Registered(cluster string) bool {
	_, registered := w.clusterDomains[cluster]
	return registered
}

// Incomplete reports whether requested input is missing from the world, so that
// objects which are not in it may exist.
func (w *World) Incomplete() bool {
	return slices.ContainsFunc(w.Problems, func(p Problem) bool { return p.HidesInput() || p.Kind == UnlistedKind })
}
