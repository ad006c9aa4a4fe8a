package world

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// Names are the ways to refer to one object on the command line.
type Names struct {
	// Kind may precede the name with a slash: `deployment/reviews-v1`.
	Kind string
	// Name, Namespace and Cluster are those of the object itself; Cluster is
	// empty for resources that live on the management cluster only.
	Name, Namespace, Cluster string
	// Resource and ResourceNamespace name the custom resource that stands for
	// the object, if that is a different one.
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

// answersTo reports whether the name means this object in one of its forms.
func (n Names) answersTo(name string) bool {
	return name == n.Name || name == n.Name+"."+n.Namespace || name == n.Full() ||
		(n.Resource != "" && (name == n.Resource || name == n.Resource+"."+n.ResourceNamespace))
}

// NotFoundError says that no object has a name.
type NotFoundError struct {
	// Noun is what was looked for ("workload"), Name what the user typed.
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

// AmbiguousError says that several objects have a name.
type AmbiguousError struct {
	Noun, Name string
	// Candidates are names that mean one object each.
	Candidates []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%s name %q is ambiguous; use one of these:\n  %s", e.Noun, e.Name, strings.Join(e.Candidates, "\n  "))
}

// Resolve finds the one item that a name given by the user means: NAME,
// NAME.NAMESPACE or NAME.NAMESPACE.CLUSTER, optionally behind KIND/, or the
// name of the custom resource. Names are compared with what exists, so that
// names containing dots work; the full form of one object beats shorter forms
// of others. The error is a *NotFoundError or an *AmbiguousError.
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
		if n.answersTo(bare) {
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

// candidates names each item in the shortest way that is unambiguous: its full
// name, with the kind in front if several share that, or the resource if they
// share the kind as well.
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

// maxSuggestions keeps a "did you mean" list readable.
const maxSuggestions = 5

// nearNames returns the full names of the items whose name is most like the
// one typed, best first.
func nearNames[T any](items []T, names func(T) Names, typed string) []string {
	type scored struct {
		name     string
		distance int
	}
	var near []scored
	if len(typed) < 3 { // everything is like so little
		return nil
	}
	for _, item := range items {
		n := names(item)
		best := len(typed)
		for _, form := range []string{n.Name, n.Name + "." + n.Namespace, n.Full(), n.Resource} {
			best = min(best, spelling.Distance(typed, form))
			// The end may be left out as well: prodctpage for productpage-v1.
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

// Names returns the ways to refer to the workload.
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

// Names returns the ways to refer to the mesh.
func (m *Mesh) Names() Names {
	return Names{Kind: "Mesh", Name: m.Ref.Name, Namespace: m.Ref.Namespace}
}

// Names returns the ways to refer to the Destination: those of its Service, or
// of the resource.
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

// Incomplete reports whether the world goes without something that was asked
// for, so that what is missing from it may exist all the same.
func (w *World) Incomplete() bool {
	return slices.ContainsFunc(w.Problems, func(p Problem) bool { return p.HidesInput() || p.Kind == UnlistedKind })
}
