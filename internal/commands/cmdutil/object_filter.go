package cmdutil

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// ObjectFilter selects objects of a kind; empty fields select all.
type ObjectFilter struct {
	Namespace string
	Clusters  []string
	Selector  string
	Search    []string
}

// Register adds the flags that apply to the kind.
func (f *ObjectFilter) Register(cmd *cobra.Command, kind ObjectKind) {
	flags := cmd.Flags()
	if !kind.global {
		flags.StringVarP(&f.Namespace, "namespace", "n", "", "only "+kind.Plural+" of this `NAMESPACE`")
	}
	if kind.inCluster {
		flags.StringSliceVar(&f.Clusters, "cluster", nil, "only "+kind.Plural+" of this `CLUSTER`; repeatable")
	}
	if kind.labels != nil {
		flags.StringVarP(&f.Selector, "selector", "l", "", "only "+kind.Plural+" whose "+kind.labelled+" match this label `QUERY`")
	}
	flags.StringSliceVar(&f.Search, "search", nil, "only "+kind.Plural+" whose name contains one of these `TEXTS`, separated by commas")
}

// Check returns a usage error if the selector is invalid.
func (f *ObjectFilter) Check() error {
	if _, err := labels.Parse(f.Selector); err != nil {
		return cli.Usagef("invalid --selector %q: %w", f.Selector, err)
	}
	return nil
}

// Apply returns the positions of the objects that match the filter, in ascending order. It
// returns a usage error if the selector is invalid.
func (f *ObjectFilter) Apply(w *world.World, kind ObjectKind, all []world.Names) ([]int, error) {
	selector, err := labels.Parse(f.Selector)
	if err != nil {
		return nil, cli.Usagef("invalid --selector %q: %w", f.Selector, err)
	}
	var passed []int
	for i, n := range all {
		switch {
		case f.Namespace != "" && n.Namespace != f.Namespace,
			len(f.Clusters) > 0 && !slices.ContainsFunc(kind.clustersOf(w, i, n), func(c string) bool { return slices.Contains(f.Clusters, c) }),
			len(f.Search) > 0 && !slices.ContainsFunc(f.Search, func(text string) bool { return strings.Contains(n.Name, text) }),
			f.Selector != "" && !selector.Matches(labels.Set(kind.labels(w, i))):
		default:
			passed = append(passed, i)
		}
	}
	return passed, nil
}

// clustersOf returns the clusters of the object at a position.
func (n ObjectKind) clustersOf(w *world.World, position int, names world.Names) []string {
	if n.clusters != nil {
		return n.clusters(w, position)
	}
	return []string{names.Cluster}
}

// Resolve returns the positions of the named objects that match the filter, in ascending order
// and without duplicates. Its error lists all names that cannot be resolved.
func (f *ObjectFilter) Resolve(kind ObjectKind, all []world.Names, filtered []int, names []string) ([]int, error) {
	namesOf := func(i int) world.Names { return all[i] }
	var found []int
	var failures []error
	for _, name := range names {
		i, err := world.Resolve(kind.Name, filtered, namesOf, name)
		if err != nil {
			failures = append(failures, f.explainNotFound(kind, all, name, err))
			continue
		}
		found = append(found, i)
	}
	slices.Sort(found)
	return slices.Compact(found), errors.Join(failures...)
}

// explainNotFound returns a more helpful error if a name was not found only because of the filter.
func (f *ObjectFilter) explainNotFound(kind ObjectKind, all []world.Names, name string, err error) error {
	var missing *world.NotFoundError
	reason := f.Explain(all)
	if !errors.As(err, &missing) || reason == "" {
		return err
	}
	everything := make([]int, len(all))
	for i := range everything {
		everything[i] = i
	}
	only, elsewhere := world.Resolve(kind.Name, everything, func(i int) world.Names { return all[i] }, name)
	var several *world.AmbiguousError
	switch {
	case elsewhere == nil:
		return fmt.Errorf("%s %s does not match %s", kind.Name, all[only].Full(), reason)
	case errors.As(elsewhere, &several):
		return fmt.Errorf("no %s named %q matches %s; these have the name:\n  %s",
			kind.Name, name, reason, strings.Join(several.Candidates, "\n  "))
	default:
		return err
	}
}

// Explain lists the filters that are set, with suggestions for unknown values.
func (f *ObjectFilter) Explain(all []world.Names) string {
	var namespaces, clusters []string
	for _, n := range all {
		namespaces = append(namespaces, n.Namespace)
		clusters = append(clusters, n.Cluster)
	}
	var parts []string
	if f.Namespace != "" {
		parts = append(parts, "-n "+f.Namespace+elsewhere(f.Namespace, namespaces))
	}
	for _, cluster := range f.Clusters {
		parts = append(parts, "--cluster "+cluster+elsewhere(cluster, clusters))
	}
	if f.Selector != "" {
		parts = append(parts, fmt.Sprintf("-l %q", f.Selector))
	}
	if len(f.Search) > 0 {
		parts = append(parts, "--search "+strings.Join(f.Search, ","))
	}
	return strings.Join(parts, ", ")
}

// elsewhere returns the existing values if value is not one of them.
func elsewhere(value string, existing []string) string {
	if slices.Contains(existing, value) {
		return ""
	}
	slices.Sort(existing)
	existing = slices.DeleteFunc(slices.Compact(existing), func(name string) bool { return name == "" })
	if len(existing) > spelling.MaxSuggestions {
		existing = spelling.Near(value, existing)
	}
	if len(existing) == 0 {
		return ""
	}
	return " (available: " + strings.Join(existing, ", ") + ")"
}
