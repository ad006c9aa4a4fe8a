package commands

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/snapshot"
)

// workloadFilter narrows the workloads down; empty fields do not.
type workloadFilter struct {
	namespace string
	clusters  []string
	selector  string
	search    []string
}

// explain names the filters that are set, and what the user may have meant.
func (f *workloadFilter) explain(world *snapshot.World) string {
	var namespaces, clusters []string
	for i := range world.Workloads {
		namespaces = append(namespaces, world.Workloads[i].Namespace)
		clusters = append(clusters, world.Workloads[i].Cluster)
	}
	var parts []string
	if f.namespace != "" {
		parts = append(parts, "-n "+f.namespace+elsewhere(f.namespace, namespaces))
	}
	for _, cluster := range f.clusters {
		parts = append(parts, "--cluster "+cluster+elsewhere(cluster, clusters))
	}
	if f.selector != "" {
		parts = append(parts, fmt.Sprintf("-l %q", f.selector))
	}
	if len(f.search) > 0 {
		parts = append(parts, "--search "+strings.Join(f.search, ","))
	}
	return strings.Join(parts, ", ")
}

// elsewhere says of a value that no workload has which ones there are.
func elsewhere(value string, existing []string) string {
	if slices.Contains(existing, value) {
		return ""
	}
	slices.Sort(existing)
	existing = slices.Compact(existing)
	if len(existing) > maxSuggestions {
		existing = nearest(value, existing)
	}
	if len(existing) == 0 {
		return ""
	}
	return " (there are " + strings.Join(existing, ", ") + ")"
}

// apply returns the workloads that pass the filter, in the world's order.
func (f *workloadFilter) apply(world *snapshot.World) ([]*snapshot.Workload, error) {
	selector, err := labels.Parse(f.selector)
	if err != nil {
		return nil, cli.Usagef("invalid --selector %q: %w", f.selector, err)
	}
	return slices.DeleteFunc(world.WorkloadPointers(), func(w *snapshot.Workload) bool {
		return (f.namespace != "" && w.Namespace != f.namespace) ||
			(len(f.clusters) > 0 && !slices.Contains(f.clusters, w.Cluster)) ||
			!selector.Matches(labels.Set(w.Labels)) ||
			(len(f.search) > 0 && !slices.ContainsFunc(f.search, func(text string) bool { return strings.Contains(w.Name, text) }))
	}), nil
}

// resolve finds the named workloads among those that pass the filter, each
// once, in the world's order. All names that do not resolve are reported
// together.
func (f *workloadFilter) resolve(world *snapshot.World, filtered []*snapshot.Workload, names []string) ([]*snapshot.Workload, error) {
	var found []*snapshot.Workload
	var failures []error
	for _, name := range names {
		w, err := snapshot.Resolve("workload", filtered, (*snapshot.Workload).Names, name)
		if err != nil {
			failures = append(failures, f.blame(world, name, err))
			continue
		}
		found = append(found, w)
	}
	slices.SortFunc(found, func(a, b *snapshot.Workload) int { return a.ID - b.ID })
	return slices.Compact(found), errors.Join(failures...)
}

// blame explains that a name was not found only because of the filter, if that
// is so.
func (f *workloadFilter) blame(world *snapshot.World, name string, err error) error {
	var missing *snapshot.NotFoundError
	if !errors.As(err, &missing) || f.explain(world) == "" {
		return err
	}
	only, elsewhere := snapshot.Resolve("workload", world.WorkloadPointers(), (*snapshot.Workload).Names, name)
	var several *snapshot.AmbiguousError
	switch {
	case elsewhere == nil:
		return fmt.Errorf("workload %s does not match %s", only.Key(), f.explain(world))
	case errors.As(elsewhere, &several):
		return fmt.Errorf("no workload named %q matches %s; without that there are:\n  %s",
			name, f.explain(world), strings.Join(several.Candidates, "\n  "))
	default:
		return err
	}
}
