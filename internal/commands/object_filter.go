package commands

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

// objectFilter narrows the objects of a kind down; empty fields do not.
type objectFilter struct {
	namespace string
	clusters  []string
	selector  string
	search    []string
}

// register adds the flags that make sense for the kind.
func (f *objectFilter) register(cmd *cobra.Command, kind objectKind) {
	flags := cmd.Flags()
	if !kind.global {
		flags.StringVarP(&f.namespace, "namespace", "n", "", "only "+kind.plural+" of this `NAMESPACE`")
	}
	if kind.inCluster {
		flags.StringSliceVar(&f.clusters, "cluster", nil, "only "+kind.plural+" of this `CLUSTER`; repeatable")
	}
	if kind.labels != nil {
		flags.StringVarP(&f.selector, "selector", "l", "", "only "+kind.plural+" whose "+kind.labelled+" match this label `QUERY`")
	}
	flags.StringSliceVar(&f.search, "search", nil, "only "+kind.plural+" whose name contains one of these `TEXTS`, separated by commas")
}

// check returns a usage error if the selector cannot be read.
func (f *objectFilter) check() error {
	if _, err := labels.Parse(f.selector); err != nil {
		return cli.Usagef("invalid --selector %q: %w", f.selector, err)
	}
	return nil
}

// apply returns the positions of the objects that pass the filter, ascending.
func (f *objectFilter) apply(w *world.World, kind objectKind, all []world.Names) ([]int, error) {
	selector, err := labels.Parse(f.selector)
	if err != nil {
		return nil, cli.Usagef("invalid --selector %q: %w", f.selector, err)
	}
	var passed []int
	for i, n := range all {
		switch {
		case f.namespace != "" && n.Namespace != f.namespace,
			len(f.clusters) > 0 && !slices.ContainsFunc(kind.clustersOf(w, i, n), func(c string) bool { return slices.Contains(f.clusters, c) }),
			len(f.search) > 0 && !slices.ContainsFunc(f.search, func(text string) bool { return strings.Contains(n.Name, text) }),
			f.selector != "" && !selector.Matches(labels.Set(kind.labels(w, i))):
		default:
			passed = append(passed, i)
		}
	}
	return passed, nil
}

// clustersOf returns the clusters that the object at a position belongs to.
func (n objectKind) clustersOf(w *world.World, position int, names world.Names) []string {
	if n.clusters != nil {
		return n.clusters(w, position)
	}
	return []string{names.Cluster}
}

// resolve finds the named objects among those that pass the filter, each once,
// ascending. All names that do not resolve are reported together.
func (f *objectFilter) resolve(kind objectKind, all []world.Names, filtered []int, names []string) ([]int, error) {
	namesOf := func(i int) world.Names { return all[i] }
	var found []int
	var failures []error
	for _, name := range names {
		i, err := world.Resolve(kind.name, filtered, namesOf, name)
		if err != nil {
			failures = append(failures, f.blame(kind, all, name, err))
			continue
		}
		found = append(found, i)
	}
	slices.Sort(found)
	return slices.Compact(found), errors.Join(failures...)
}

// blame explains that a name was not found only because of the filter, if that
// is so.
func (f *objectFilter) blame(kind objectKind, all []world.Names, name string, err error) error {
	var missing *world.NotFoundError
	reason := f.explain(all)
	if !errors.As(err, &missing) || reason == "" {
		return err
	}
	everything := make([]int, len(all))
	for i := range everything {
		everything[i] = i
	}
	only, elsewhere := world.Resolve(kind.name, everything, func(i int) world.Names { return all[i] }, name)
	var several *world.AmbiguousError
	switch {
	case elsewhere == nil:
		return fmt.Errorf("%s %s does not match %s", kind.name, all[only].Full(), reason)
	case errors.As(elsewhere, &several):
		return fmt.Errorf("no %s named %q matches %s; these have the name:\n  %s",
			kind.name, name, reason, strings.Join(several.Candidates, "\n  "))
	default:
		return err
	}
}

// explain names the filters that are set, and what the user may have meant.
func (f *objectFilter) explain(all []world.Names) string {
	var namespaces, clusters []string
	for _, n := range all {
		namespaces = append(namespaces, n.Namespace)
		clusters = append(clusters, n.Cluster)
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

// elsewhere says of a value that no object has which ones there are.
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
	return " (there are " + strings.Join(existing, ", ") + ")"
}
