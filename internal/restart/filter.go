package restart

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// included reports whether the options select the item.
func (p *planner) included(item *Item) bool {
	o := &p.opts
	switch {
	case len(o.Within) > 0 && !slices.Contains(o.Within, item.Namespace):
		return false
	case o.Selector != nil && !o.Selector.Matches(item.labels):
		return false
	default:
		return !slices.ContainsFunc(o.Exclude, func(name string) bool { return matchesName(item.Ref, p.facts.Cluster, name) })
	}
}

// matchesName reports whether name refers to the object. The name is NAME, NAME.NAMESPACE or
// NAME.NAMESPACE.CLUSTER, optionally prefixed with KIND/.
func matchesName(ref Ref, cluster, name string) bool {
	if kind, bare, found := strings.Cut(name, "/"); found {
		if !strings.EqualFold(kind, ref.Kind) {
			return false
		}
		name = bare
	}
	full := ref.Name + "." + ref.Namespace
	return name == ref.Name || name == full || name == full+"."+cluster
}

// CheckFilters returns an error for each namespace and each excluded name of the options that
// does not occur in any of the plans. Without this check, a typo could restart a workload that
// was meant to be excluded.
func CheckFilters(plans []Plan, opts PlanOptions) error {
	var namespaces, names []string
	for i := range plans {
		for _, ref := range plans[i].known {
			namespaces, names = append(namespaces, ref.Namespace), append(names, ref.Name, ref.Name+"."+ref.Namespace)
		}
	}
	var errs []error
	for _, namespace := range opts.Within {
		if !slices.Contains(namespaces, namespace) {
			errs = append(errs, fmt.Errorf("no workload of these meshes in namespace %q%s", namespace, suggestion(namespace, namespaces)))
		}
	}
	for _, name := range opts.Exclude {
		known := slices.ContainsFunc(plans, func(p Plan) bool {
			return slices.ContainsFunc(p.known, func(ref Ref) bool { return matchesName(ref, p.Cluster, name) })
		})
		if !known {
			errs = append(errs, fmt.Errorf("no workload of these meshes is named %q%s", name, suggestion(name, names)))
		}
	}
	return errors.Join(errs...)
}

// suggestion returns a "did you mean" hint, or nothing.
func suggestion(typed string, known []string) string {
	if near := spelling.Nearest(typed, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}
